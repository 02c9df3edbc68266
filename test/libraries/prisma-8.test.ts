import { isPoolTimeout } from '@poolguard/core'
import { GuardedPool, type GuardedPoolConfig } from '@poolguard/pg'
import { type PostgresServer, SESSIONS_OF_THE_APP, startPostgres, waitUntil } from '@poolguard/test/harness'
import { defineContract } from '@prisma/orm-postgres/contract-builder'
import postgres from '@prisma/orm-postgres/runtime'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'

const contract = defineContract({}, ({ field, model }) => ({
  models: { Item: model('Item', { fields: { id: field.int().id(), name: field.text() } }) },
}))
const ONE = { id: 1, name: 'one' }
const TWO = { id: 2, name: 'two' }

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
  await server.query('set role app; create table "Item" (id int primary key, name text not null)')
})
afterAll(() => server.stop())
beforeEach(() => server.query('truncate "Item"'))

/** Prisma 8 on a guarded pool, which nothing may be left of after the test. */
function connect(settings: NonNullable<GuardedPoolConfig['pool']>) {
  const pool = new GuardedPool({ url: server.url, name: 'items', pool: settings })
  // Prisma pins an earlier version of @types/pg, whose pool is of another type.
  const db = postgres({ contract, pg: pool as never, verifyMarker: false })
  onTestFinished(async () => {
    await db.close()
    expect(pool.counts.active).toBe(0)
    await pool.end()
  })
  const all = async () => db.orm.public?.Item.all()
  return { pool, db, all }
}

const killBackends = async (state: string) => {
  await server.query(`select pg_terminate_backend(pid) from ${SESSIONS_OF_THE_APP} and state = '${state}'`)
  await waitUntil(async () => (await server.connectionCount()) === 0, { what: 'the backends are gone' })
}

test('given a backend that is killed in a transaction, then the transaction fails as a whole, and the next query is served', async () => {
  const { pool, db, all } = connect({ max: 1 })
  const work = db.transaction(async (tx) => {
    await tx.orm.public?.Item.create(ONE)
    await killBackends('idle in transaction')
    await tx.orm.public?.Item.create(TWO)
  })
  await expect(work).rejects.toThrow()
  expect(await all()).toEqual([])
  expect(pool.counts).toMatchObject({ total: 1, active: 0 })
})

test('given a backend that is killed before the commit, then the transaction fails, and the next one is served', async () => {
  const { db, all } = connect({ max: 1 })
  const work = db.transaction(async (tx) => {
    await tx.orm.public?.Item.create(ONE)
    await killBackends('idle in transaction')
  })
  await expect(work).rejects.toThrow()
  await db.transaction(async (tx) => {
    await tx.orm.public?.Item.create(TWO)
  })
  expect(await all()).toEqual([TWO])
})

test('given idle connections that are killed, then the next queries get new ones', async () => {
  const { all } = connect({ max: 2 })
  await Promise.all([all(), all()])
  await killBackends('idle')
  expect(await Promise.all([all(), all()])).toEqual([[], []])
})

test('given a server that restarts, then queries wait meanwhile, and are served when it is back', async () => {
  const { pool, all } = connect({ max: 3, acquireTimeoutMillis: 60_000 })
  await Promise.all(Array.from({ length: 3 }, all))
  await server.kill('SIGINT')
  const reads = Promise.all(Array.from({ length: 20 }, all))
  await expect.poll(() => pool.snapshot().stats.connectFailures.unavailable).toBeGreaterThan(0)
  await server.restart()
  expect(await reads).toEqual(Array(20).fill([]))
})

test('given no connection in time, then the error is recognized as that of the pool', async () => {
  const { pool, db, all } = connect({ max: 1, acquireTimeoutMillis: 100 })
  const client = await waitUntil(() => pool.connect().catch(() => undefined), { what: 'there is a connection' })
  const errors = await Promise.all([all(), db.transaction(all)].map((work) => work.catch((error: unknown) => error)))
  client?.release()
  expect(errors.map((error) => isPoolTimeout(error))).toEqual([true, true])
  expect(await all()).toEqual([])
})
