import { AcquireTimeoutError, DeadlineExceededError, runWithDeadline } from '@poolguard/core'
import { drizzle } from '@poolguard/drizzle/node-postgres'
import { GuardedPool, type GuardedPoolConfig } from '@poolguard/pg'
import { type GuardedSql, guardPostgres } from '@poolguard/postgres-js'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import {
  type PgBouncerServer,
  type PostgresServer,
  startPgBouncer,
  startPostgres,
  waitUntil,
} from '../harness/index.ts'
import { RunningStatements } from './running-statements.ts'

let server: PostgresServer
let pgBouncer: PgBouncerServer
let statements: RunningStatements
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 40 })
  pgBouncer = await startPgBouncer({ upstream: server, poolMode: 'transaction' })
  statements = await RunningStatements.watch(server)
  await server.query('create table kept (id int); grant all on kept to public')
})
afterAll(async () => {
  await statements?.[Symbol.asyncDispose]()
  await pgBouncer?.stop()
  await server?.stop()
})

const addresses = {
  PostgreSQL: () => server.url,
  'PgBouncer in transaction mode': () => pgBouncer.url,
}

function makePool(url: string, config: GuardedPoolConfig = {}): GuardedPool {
  const pool = new GuardedPool({ url, max: 1, ...config })
  onTestFinished(() => pool.end())
  return pool
}

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('it succeeded'),
    (error: unknown) => error,
  )
}

describe.each(Object.entries(addresses))('given a pool on %s', (_name, url) => {
  test('when the signal of a query is aborted, then the caller gets its reason, and the server ends the statement', async () => {
    const pool = makePool(url())
    const controller = new AbortController()
    const text = 'select pg_sleep(600) /* aborted query */'
    const outcome = failureOf(pool.query({ text, signal: controller.signal }))
    await statements.begun('aborted query')
    const reason = new Error('the client has gone')
    controller.abort(reason)

    expect(await outcome).toBe(reason)
    // The only connection: it was cancelled, not closed.
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await statements.ended('aborted query')
    expect(pool.snapshot().stats).toMatchObject({ opened: 1, closed: 0, active: 0 })
  })

  test('when a waiting caller aborts, then it leaves the queue', async () => {
    const pool = makePool(url())
    const client = await pool.connect()
    const controller = new AbortController()
    const { signal } = controller
    const outcomes = [failureOf(pool.query({ text: 'select 1', signal })), failureOf(pool.connect({ signal }))]
    expect(pool.waitingCount).toBe(2)
    controller.abort('gone')

    expect(await Promise.all(outcomes)).toEqual(['gone', 'gone'])
    expect(pool.waitingCount).toBe(0)
    client.release()
  })

  test('when a transaction is aborted, then its statement is cancelled, further ones are not sent, and it is rolled back', async () => {
    const pool = makePool(url())
    const controller = new AbortController()
    const client = await pool.connect({ signal: controller.signal })
    await client.query('begin')
    await client.query('insert into kept values (1)')
    const outcome = failureOf(client.query('select pg_sleep(600) /* aborted transaction */'))
    await statements.begun('aborted transaction')
    controller.abort('gone')

    expect(await outcome).toMatchObject({ code: '57014', cause: 'gone' })
    expect(await failureOf(client.query('commit'))).toBe('gone')
    client.release()
    expect((await pool.query('select count(*)::int as n from kept')).rows).toEqual([{ n: 0 }])
    expect(pool.snapshot()).toMatchObject({ dirtyReleases: 0, stats: { opened: 1, closed: 0 } })
  })

  test('when a transaction is aborted between its statements, then its own ROLLBACK is still sent', async () => {
    const pool = makePool(url())
    const controller = new AbortController()
    const client = await pool.connect({ signal: controller.signal })
    await client.query('begin')
    controller.abort('gone')
    expect(await failureOf(client.query('select 1'))).toBe('gone')
    await client.query('rollback')
    client.release()

    expect(pool.snapshot()).toMatchObject({ dirtyReleases: 0, stats: { closed: 0 } })
  })

  test('when the signal is aborted after the release, then nothing is cancelled', async () => {
    const pool = makePool(url())
    const controller = new AbortController()
    const client = await pool.connect({ signal: controller.signal })
    client.release()
    const next = pool.query('select pg_sleep(0.2), 1 as one /* innocent */')
    await statements.begun('innocent')
    controller.abort()

    expect((await next).rows).toEqual([expect.objectContaining({ one: 1 })])
  })

  test('when the time of runWithDeadline passes, then the statement of an ORM ends', async () => {
    const pool = makePool(url())
    await pool.query('select 1')
    const db = drizzle({ client: pool })
    const failed = await failureOf(
      runWithDeadline(300, async () => db.execute(sql`select pg_sleep(600) /* orm deadline */`)),
    )

    const causes = [failed, (failed as Error).cause]
    expect(causes.some((error) => error instanceof DeadlineExceededError)).toBe(true)
    await statements.ended('orm deadline')
    expect(pool.snapshot().stats).toMatchObject({ opened: 1, closed: 0, active: 0 })
  })

  test('when the time passes while a caller waits, then its error describes the pool', async () => {
    const pool = makePool(url())
    const client = await pool.connect()
    const failed = await failureOf(runWithDeadline(50, () => pool.query('select 1')))
    client.release()

    expect(failed).toBeInstanceOf(AcquireTimeoutError)
  })

  test('when statements are aborted at random, then no statement of another caller is cancelled', async () => {
    const pool = makePool(url(), { max: 4, pool: { maxWaiters: Infinity } })
    let aborted = 0
    const abortAtRandom = async (i: number): Promise<void> => {
      const controller = new AbortController()
      const query = pool.query({ text: 'select pg_sleep(0.002)', signal: controller.signal })
      setTimeout(() => controller.abort('gone'), (i * 7) % 6)
      await query.catch((error: unknown) => {
        expect(error).toBe('gone')
        aborted++
      })
    }
    const innocent: Promise<unknown>[] = []
    for (let round = 0; round < 40; round++) {
      innocent.push(...Array.from({ length: 4 }, () => pool.query('select pg_sleep(0.001)')))
      await Promise.all(Array.from({ length: 8 }, (_, i) => abortAtRandom(round * 8 + i)))
    }
    await Promise.all(innocent)

    expect(aborted).toBeGreaterThan(20)
    await waitUntil(() => pool.counts.active === 0, { what: 'every connection has been released' })
    expect(pool.snapshot().stats).toMatchObject({ closed: 0, waiting: 0 })
  })
})

test('given pipelined statements, when one of them is aborted, then the others on its connection are answered', async () => {
  const pool = makePool(server.url, { pool: { pipeline: 'reads' } })
  await pool.ready()
  const controller = new AbortController()
  const shared = Array.from({ length: 20 }, (_, i) =>
    i === 10
      ? runWithDeadline(controller.signal, () => pool.query('select count(*) from generate_series(1, 100000)'))
      : pool.query('select count(*)::int as n from generate_series(1, 1000)'),
  )
  controller.abort('gone')
  const outcomes = await Promise.allSettled(shared)

  expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([{ status: 'rejected', reason: 'gone' }])
})

describe.each(Object.entries(addresses))('given postgres.js on %s', (_name, url) => {
  function makeSql(): GuardedSql {
    const sql = guardPostgres({ url: url(), max: 1 })
    onTestFinished(() => sql.end())
    return sql
  }

  test('when the signal around a query is aborted, then the caller gets its reason, and the server ends the statement', async () => {
    const sql = makeSql()
    const controller = new AbortController()
    const outcome = failureOf(
      runWithDeadline(controller.signal, async () => await sql`select pg_sleep(600) /* aborted postgres.js */`),
    )
    await statements.begun('aborted postgres.js')
    controller.abort('gone')

    expect(await outcome).toBe('gone')
    expect([...(await sql`select 1 as one`)]).toEqual([{ one: 1 }])
    await statements.ended('aborted postgres.js')
    expect(sql.snapshot().stats).toMatchObject({ opened: 1, closed: 0, active: 0 })
  })

  test('when a transaction is aborted, then its statement is cancelled, and it is rolled back', async () => {
    const sql = makeSql()
    const controller = new AbortController()
    const transaction = runWithDeadline(controller.signal, () =>
      sql.begin(async (tx) => {
        await tx`insert into kept values (2)`
        await tx`select pg_sleep(600) /* aborted begin */`.catch(() => {})
        await tx`select 2`
      }),
    )
    const outcome = failureOf(transaction)
    await statements.begun('aborted begin')
    controller.abort('gone')

    expect(await outcome).toBe('gone')
    expect([...(await sql`select count(*)::int as n from kept`)]).toEqual([{ n: 0 }])
    expect(sql.snapshot()).toMatchObject({ dirtyReleases: 0, stats: { opened: 1, closed: 0 } })
  })

  test('when a caller waits for a reserved connection or for a query, then it leaves the queue', async () => {
    const sql = makeSql()
    const reserved = await sql.reserve()
    const controller = new AbortController()
    const { signal } = controller
    const outcomes = [
      failureOf(sql.reserve({ signal })),
      failureOf(runWithDeadline(signal, async () => await sql`select 1`)),
      failureOf(runWithDeadline(signal, () => sql.begin(async (tx) => await tx`select 1`))),
    ]
    await waitUntil(() => sql.counts.waiting === 3, { what: 'three callers wait' })
    controller.abort('gone')

    expect(await Promise.all(outcomes)).toEqual(['gone', 'gone', 'gone'])
    expect(sql.counts.waiting).toBe(0)
    reserved.release()
  })

  test('when the signal of a reserved connection is aborted, then its statement ends, and further ones are not sent', async () => {
    const sql = makeSql()
    const controller = new AbortController()
    const reserved = await sql.reserve({ signal: controller.signal })
    const outcome = failureOf(Promise.resolve(reserved`select pg_sleep(600) /* aborted reserve */`))
    await statements.begun('aborted reserve')
    controller.abort('gone')

    expect(await outcome).toMatchObject({ code: '57014' })
    expect(await failureOf(Promise.resolve(reserved`select 1`))).toBe('gone')
    reserved.release()
    expect([...(await sql`select 1 as one`)]).toEqual([{ one: 1 }])
    expect(sql.snapshot().stats).toMatchObject({ opened: 1, closed: 0 })
  })
})
