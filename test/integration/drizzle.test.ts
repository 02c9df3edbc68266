import { closePools, type PoolEvent, snapshotPools } from '@poolguard/core'
import { withReplicas as withNodePostgresReplicas } from '@poolguard/drizzle/node-postgres'
import { withReplicas as withPostgresJsReplicas } from '@poolguard/drizzle/postgres-js'
import { GuardedPool } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  describeWithPgBouncer,
  type PostgresServer,
  pgBouncerVersions,
  startPgBouncer,
  startPostgres,
  waitUntil,
} from '../harness/index.ts'
import { makeAccounts } from './accounts.ts'
import { account, drivers, driversError } from './drizzle-drivers.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
  await makeAccounts(server)
})
afterAll(() => server.stop())

const balanceOf = (id: number) => server.query(`select balance from account where id = ${id}`)

describe.each(drivers)('drizzle/$driver', ({ driver, drizzle }) => {
  test('given a URL, then queries, transactions and savepoints work as with plain Drizzle', async () => {
    const db = drizzle(server.url)
    expect(await db.select().from(account).where(eq(account.id, 1))).toEqual([
      { id: 1, owner: 'owner 1', balance: 100 },
    ])
    await db.transaction(async (tx) => {
      await tx.update(account).set({ balance: 105 }).where(eq(account.id, 2))
      const nested = tx.transaction(async (nested) => {
        await nested.update(account).set({ balance: 0 }).where(eq(account.id, 2))
        throw new Error('taken back')
      })
      await expect(nested).rejects.toThrow('taken back')
    })
    expect(await balanceOf(2)).toMatchObject([{ balance: 105 }])
    const whole = db.transaction(async (tx) => {
      await tx.delete(account).where(eq(account.id, 3))
      tx.rollback()
    })
    await expect(whole).rejects.toThrow('Rollback')
    expect(await balanceOf(3)).toMatchObject([{ balance: 100 }])
    await db.$client.end()
  })

  test('given a prepared query, then it is prepared on each connection and gives what it gave', async () => {
    const db = drizzle({ connection: { url: server.url, pool: { max: 2 } } })
    await db.$client.ready()
    const byId = db
      .select()
      .from(account)
      .where(eq(account.id, sql.placeholder('id')))
      .prepare('account_by_id')
    const found = await Promise.all(Array.from({ length: 20 }, (_, i) => byId.execute({ id: 4 + (i % 2) })))
    expect(found.map(([row]) => row?.id)).toEqual(Array.from({ length: 20 }, (_, i) => 4 + (i % 2)))
    await db.$client.end()
  })

  test('given options, then the pool has them; given a client, then it is used', async () => {
    const db = drizzle({ connection: { url: server.url, name: 'orders', instances: 7 } })
    await db.execute(sql`select 1`)
    expect((await db.$client.ready()).name).toBe('orders')
    expect(db.$client.settings.values.max).toBe(2)
    await db.$client.end()

    const client =
      driver === 'node-postgres'
        ? new GuardedPool({ url: server.url })
        : (guardPostgres(server.url) as unknown as GuardedPool)
    const other = drizzle({ client })
    expect(other.$client).toBe(client)
    expect(await other.select().from(account)).toHaveLength(10)
    await client.end()
  })

  test('given a name, when db.ts is loaded ten times, then there is one pool', async () => {
    const loads = Array.from({ length: 10 }, () => drizzle({ connection: { url: server.url, name: 'reloaded' } }))
    for (const db of loads) expect(await db.select().from(account)).toHaveLength(10)
    expect(new Set(loads.map((db) => db.$client)).size).toBe(1)
    expect(snapshotPools().map(({ name }) => name)).toEqual(['reloaded'])
    await loads[0]?.$client.end()
  })

  test('given far more callers than connections, then all are served and the budget is kept', async () => {
    const db = drizzle({ connection: { url: server.url, instances: 7 } })
    const many = Array.from({ length: 200 }, (_, i) =>
      i % 2 ? db.select().from(account) : db.transaction((tx) => tx.select().from(account)),
    )
    const watch = setInterval(() => expect(db.$client.snapshot().stats.total).toBeLessThanOrEqual(2), 5)
    for (const rows of await Promise.all(many)) expect(rows).toHaveLength(10)
    clearInterval(watch)
    expect(db.$client.snapshot().stats).toMatchObject({ opened: 2, active: 0, waiting: 0 })
    await db.$client.end()
  })

  test('given a statement that fails, then the error is the same and the connection is kept', async () => {
    const db = drizzle({ connection: { url: server.url, pool: { max: 1 } } })
    await db.$client.ready()
    for (let i = 0; i < 5; i++) {
      const error = await db.execute(sql`select nothing`).catch(driversError)
      expect(error).toMatchObject({ code: '42703' })
    }
    expect(db.$client.snapshot().stats).toMatchObject({ opened: 1, closed: 0 })
    await db.$client.end()
  })

  test('given transactions whose BEGIN fails, then no connection is lost for good', async () => {
    const db = drizzle({ connection: { url: server.url, pool: { max: 2, acquireTimeoutMillis: 2_000 } } })
    const isolationLevel = 'no such level' as 'serializable'
    for (let i = 0; i < 5; i++) {
      await expect(db.transaction(async () => {}, { isolationLevel })).rejects.toThrow()
    }
    expect(await db.select().from(account)).toHaveLength(10)
    await waitUntil(() => db.$client.snapshot().stats.active === 0, { what: 'every connection is back' })
    await db.$client.end()
  })

  test('given a connection lost in the middle of a transaction, then that fails as a whole and nothing else does', async () => {
    const db = drizzle({ connection: { url: server.url, pool: { max: 2 } } })
    await db.$client.ready()
    const lost = db.transaction(async (tx) => {
      await tx.update(account).set({ balance: 1 }).where(eq(account.id, 6))
      await server.query(`select pg_terminate_backend(pid) from pg_stat_activity where state = 'idle in transaction'`)
      await waitUntil(() => db.$client.snapshot().stats.closed > 0, { what: 'the loss is noticed' })
      await tx.update(account).set({ balance: 2 }).where(eq(account.id, 7))
    })
    await expect(lost).rejects.toThrow()
    expect(await db.select().from(account)).toHaveLength(10)
    expect([...(await balanceOf(6)), ...(await balanceOf(7))]).toEqual([{ balance: 100 }, { balance: 100 }])
    await db.$client.end()
  })

  test('given db used inside of a transaction on the last connection, then the deadlock is reported', async () => {
    const events: PoolEvent['type'][] = []
    const onEvent = ({ type }: PoolEvent) => events.push(type)
    const connection = { url: server.url, onEvent, pool: { max: 1, acquireTimeoutMillis: 2_500 } }
    const db = drizzle({ connection, detectDeadlocks: true })
    await db.$client.ready()
    const stuck = db.transaction(() => db.select().from(account)).catch(driversError)
    await waitUntil(() => events.includes('deadlock'), { what: 'the deadlock is seen' })
    expect(await stuck).toMatchObject({
      message: expect.stringContaining('Every holder of a connection waits for another one'),
    })
    expect(await db.select().from(account)).toHaveLength(10)
    await db.$client.end()
  })

  test('given a shutdown under load, then running work finishes, other callers are rejected, and no connection is left', async () => {
    const db = drizzle({ connection: { url: server.url, pool: { max: 2 } } })
    const transfers = Array.from({ length: 50 }, () =>
      db.transaction(async (tx) => {
        await tx
          .update(account)
          .set({ balance: sql`${account.balance} - 1` })
          .where(eq(account.id, 8))
        await tx
          .update(account)
          .set({ balance: sql`${account.balance} + 1` })
          .where(eq(account.id, 9))
      }),
    )
    const outcomes = Promise.allSettled(transfers)
    await waitUntil(() => db.$client.snapshot().stats.acquired > 10, { what: 'some have begun' })
    await closePools()

    const refused = (await outcomes).flatMap((each) => (each.status === 'rejected' ? [driversError(each.reason)] : []))
    for (const error of refused) expect(error).toMatchObject({ code: 'POOLGUARD_CLOSED' })
    expect(await server.query('select sum(balance)::int from account where id in (8, 9)')).toEqual([{ sum: 200 }])
    expect(await server.connectionCount()).toBe(0)
  })
})

describe.each(drivers)('drizzle/$driver with replicas', ({ driver, drizzle }) => {
  const withReplicas = driver === 'postgres-js' ? withPostgresJsReplicas : withNodePostgresReplicas

  test('given replicas, then writes go to the primary, reads to the replica with the most room', async () => {
    await using first = await startPostgres()
    await using second = await startPostgres()
    for (const each of [first, second]) await makeAccounts(each)
    const open = (url: string) => drizzle({ connection: { url, pool: { max: 2 } } })
    const [primary, one, two] = [open(server.url), open(first.url), open(second.url)] as const
    // The replicas are servers of their own, which never have the primary's writes.
    const db = withReplicas(primary, [one, two], { readYourWritesMillis: false })

    await Promise.all([primary, one, two].map((each) => each.$client.ready()))
    await db.update(account).set({ balance: 110 }).where(eq(account.id, 10))
    expect(await db.$primary.select().from(account).where(eq(account.id, 10))).toMatchObject([{ balance: 110 }])
    const busy = one.execute(sql`select pg_sleep(1)`).then(() => 'rested')
    const sleeping = () => first.query(`select 1 from pg_stat_activity where wait_event = 'PgSleep'`)
    await waitUntil(async () => (await sleeping()).length === 1, { what: 'the first replica is busy' })
    const before = two.$client.snapshot().stats.acquired
    for (let i = 0; i < 10; i++) expect(await replicaOf(db).select().from(account)).toHaveLength(10)
    expect(two.$client.snapshot().stats.acquired - before).toBeGreaterThanOrEqual(10)
    expect(await busy).toBe('rested')
    await Promise.all([primary, one, two].map((each) => each.$client.end()))
  })
})

/** Up to 0.45 a read goes to a replica by default, from 1.0 on only on request. */
function replicaOf<T extends object>(db: T): T {
  return '$replica' in db ? (db.$replica as T) : db
}

for (const version of pgBouncerVersions) {
  const describe = await describeWithPgBouncer(version)
  describe.each(drivers)(`drizzle/$driver behind PgBouncer ${version} in transaction mode`, ({ drizzle }) => {
    test('then reads, writes, transactions and prepared queries work, also at the limit', async () => {
      await using pooler = await startPgBouncer({ version, upstream: server, settings: { default_pool_size: 4 } })
      const warnings: string[] = []
      const onEvent = (event: PoolEvent) => event.type === 'warning' && warnings.push(event.message)
      const db = drizzle({ connection: { url: pooler.url, onEvent } })
      expect((await db.$client.ready()).topology).toMatchObject({ kind: 'pooler', pooler: { mode: 'transaction' } })
      const prepares = db.$client.snapshot().topology?.preparedStatements === 'safe'
      const byId = db
        .select()
        .from(account)
        .where(eq(account.id, sql.placeholder('id')))
      const prepared = byId.prepare('by_id_pooled')
      const work = Array.from({ length: 120 }, async (_, i) => {
        if (i % 3 === 0) return db.transaction((tx) => tx.select().from(account).where(eq(account.id, 5)))
        if (i % 3 === 1 || !prepares) return db.select().from(account).where(eq(account.id, 5))
        return prepared.execute({ id: 5 })
      })
      for (const rows of await Promise.all(work)) expect(rows).toEqual([{ id: 5, owner: 'owner 5', balance: 100 }])
      expect(prepares).toBe(version !== '1.18')
      expect(warnings).toEqual([])
      await db.$client.end()
    })
  })
}
