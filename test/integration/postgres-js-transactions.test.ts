import type { PoolEvent } from '@poolguard/core'
import { type GuardedSql, guardPostgres } from '@poolguard/postgres-js'
import type { TransactionSql } from 'postgres'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../harness/index.ts'

let server: PostgresServer
let sql: GuardedSql
const events: PoolEvent['type'][] = []
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
  sql = guardPostgres(server.url, { max: 1, onEvent: ({ type }) => events.push(type) }) as GuardedSql
  await sql.ready()
  await sql`create table entries (n int unique deferrable initially deferred)`
})
afterAll(async () => {
  await sql.end()
  await server.stop()
})
beforeEach(async () => {
  await sql`truncate entries`
  events.splice(0)
})

const entries = async () => (await sql`select n from entries order by n`).map(({ n }) => n)
const inTransaction = async () => (await sql`select now() <> statement_timestamp() as inside`.simple())[0]?.inside

describe('given begin', () => {
  test('then what is returned is kept, arrays are awaited, and options go with it', async () => {
    expect(await sql.begin(async (tx) => await tx`insert into entries values (1) returning n`)).toEqual([{ n: 1 }])
    expect(await sql.begin((tx) => [tx`insert into entries values (2)`, tx`select 3 as three`])).toMatchObject([
      [],
      [{ three: 3 }],
    ])
    await expect(sql.begin('read only', (tx) => tx`insert into entries values (4)`)).rejects.toMatchObject({
      code: '25006',
    })
    expect(await entries()).toEqual([1, 2])
  })

  test('when the body, a statement or the commit fails, then nothing is kept, and the connection is', async () => {
    const failures = [
      sql.begin(async (tx) => {
        await tx`insert into entries values (1)`
        throw new Error('mine')
      }),
      sql.begin(async (tx) => {
        await tx`insert into entries values (1)`
        await tx`select nothing`.catch(() => {})
      }),
      sql.begin((tx) => tx`insert into entries values (1), (1)`),
    ]
    const outcomes = await Promise.allSettled(failures)
    expect(outcomes).toMatchObject([
      { reason: { message: 'mine' } },
      { reason: { code: '42703' } },
      { reason: { code: '23505' } },
    ])
    expect(await entries()).toEqual([])
    expect(sql.snapshot().stats.closed).toBe(0)
    expect(sql.snapshot().dirtyReleases).toBe(0)
  })

  test('then savepoints nest, and what fails in one undoes that one alone', async () => {
    await sql.begin(async (tx) => {
      await tx`insert into entries values (1)`
      await tx
        .savepoint('named', async (outer) => {
          await outer`insert into entries values (2)`
          await outer.savepoint((inner) => inner`insert into entries values (3)`)
          throw new Error('undo')
        })
        .catch(() => {})
      await tx.savepoint(async (point) => {
        await point`insert into entries values (4)`
        await point.savepoint((inner) => inner`select nothing`).catch(() => {})
      })
    })
    expect(await entries()).toEqual([1, 4])
  })

  test('when its connection is lost, then every statement fails, and nothing runs outside of it', async () => {
    const failed: unknown[] = []
    const ended = Promise.withResolvers<void>()
    const transaction = sql.begin(async (tx) => {
      const [row] = await tx`insert into entries values (1) returning pg_backend_pid() as pid`
      await server.query(`select pg_terminate_backend(${row?.pid})`)
      await expect.poll(() => sql.snapshot().stats.active).toBe(0)
      for (const n of [2, 3]) await tx`insert into entries values (${n})`.catch((error: Error) => failed.push(error))
      await tx.savepoint((point) => point`insert into entries values (4)`).catch((error: Error) => failed.push(error))
      ended.resolve()
      return 'all is well'
    })
    await expect(transaction).rejects.toMatchObject({ code: '57P01' })
    await ended.promise
    expect(failed).toMatchObject([{ code: '57P01' }, { code: '57P01' }, { code: '57P01' }])
    expect(await entries()).toEqual([])
  })

  test('when it is over, then its tx sends nothing any more, although another caller has the connection', async () => {
    const kept: TransactionSql[] = []
    await sql.begin(async (tx) => {
      kept.push(tx)
      await tx.savepoint(async (point) => void kept.push(point))
    })
    await sql.begin(async (tx) => {
      for (const stale of kept) {
        await expect(stale`insert into entries values (1)`).rejects.toMatchObject({ code: 'CONNECTION_ENDED' })
        await expect(stale.unsafe('insert into entries values (2)')).rejects.toMatchObject({ code: 'CONNECTION_ENDED' })
      }
      await tx`insert into entries values (3)`
    })
    expect(await entries()).toEqual([3])
  })
})

describe('given transactions by hand', () => {
  test.each(['begin', 'start transaction', 'begin; insert into entries values (1)'])(
    'when %s is sent outside of begin and reserve, then it fails, and no transaction stays open',
    async (statement) => {
      await expect(sql.unsafe(statement)).rejects.toMatchObject({ code: 'UNSAFE_TRANSACTION' })
      expect(await inTransaction()).toBe(false)
      expect(await entries()).toEqual([])
      expect(events).toContain('dirty-release')
    },
  )

  test('when a script ends what it has begun, then it is one message, and safe', async () => {
    await sql.unsafe('begin; insert into entries values (1); commit')
    expect(await entries()).toEqual([1])
  })
})

describe('given a reserved connection', () => {
  test('then its queries share a session, follow each other without waiting, and it is given back once', async () => {
    const reserved = await sql.reserve()
    await reserved`set application_name to 'reserved'`
    const answers = await Promise.all([
      reserved`show application_name`,
      reserved`select ${1}::int as n`,
      reserved`select ${2}::int as n`,
      reserved.unsafe('select 3 as n'),
    ])
    expect(answers).toEqual([[{ application_name: 'reserved' }], [{ n: 1 }], [{ n: 2 }], [{ n: 3 }]])
    await reserved`begin`
    await reserved`insert into entries values (1)`
    await reserved`commit`
    for await (const rows of reserved`select generate_series(1, 3) as n`.cursor(2))
      expect(rows.length).toBeGreaterThan(0)
    reserved.release()
    reserved.release()
    await expect(reserved`select 1`).rejects.toMatchObject({ code: 'CONNECTION_ENDED' })
    expect(await entries()).toEqual([1])
    expect(sql.snapshot().stats).toMatchObject({ active: 0, idle: 1 })
  })

  test('when it is released in a transaction, then that is rolled back and counted', async () => {
    const before = sql.snapshot().dirtyReleases
    const reserved = await sql.reserve()
    await reserved`begin`
    await reserved`insert into entries values (1)`
    reserved.release()
    expect(await inTransaction()).toBe(false)
    expect(await entries()).toEqual([])
    expect(sql.snapshot().dirtyReleases).toBe(before + 1)
  })

  test('when it is released with queries under way, then they are answered first', async () => {
    const reserved = await sql.reserve()
    const queries = [reserved`select pg_sleep(0.05)`, reserved`select ${1}::int as n`, reserved`select 2 as n`]
    for (const query of queries) query.execute()
    reserved.release()
    expect(await sql`select 3 as n`).toEqual([{ n: 3 }])
    expect(await Promise.all(queries)).toMatchObject([[{}], [{ n: 1 }], [{ n: 2 }]])
  })

  test('when one of its queries waits behind another and is cancelled, then the others go on', async () => {
    const reserved = await sql.reserve()
    const first = reserved`select pg_sleep(0.05), ${1}::int as n`.execute()
    const second = reserved`select ${2}::int as n`.execute()
    const third = reserved`select ${3}::int as n`.execute()
    second.cancel()
    await expect(second).rejects.toMatchObject({ code: '57014' })
    await first
    expect(await third).toEqual([{ n: 3 }])
    reserved.release()
  })
})
