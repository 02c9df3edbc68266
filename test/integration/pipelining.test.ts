import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { type PoolEvent, runWithDeadline } from '@poolguard/core'
import { GuardedPool, type GuardedPoolConfig } from '@poolguard/pg'
import type { QueryResult } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type FaultProxy, type PostgresServer, startPostgres, startProxy } from '../harness/index.ts'

let server: PostgresServer
let proxy: FaultProxy
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
  proxy = await startProxy({ target: server })
})
afterAll(async () => {
  await proxy.stop()
  await server.stop()
})

const pools: GuardedPool[] = []
afterEach(async () => {
  await proxy.heal()
  await Promise.all(pools.splice(0).map((pool) => (pool.ending ? undefined : pool.end())))
  await expect.poll(() => server.connectionCount()).toBe(0)
})

const ECHO = 'select $1::int as n'

/** A pool with one connection, far away, that knows a fast statement. */
async function givenPool({ pool, ...config }: GuardedPoolConfig = {}): Promise<GuardedPool> {
  const made = new GuardedPool({
    url: proxy.urlFor(server.url),
    // Without a validation, a connection that is idle is lent within the same turn of the event loop.
    pool: { max: 1, pipeline: 'reads', shareWithinMillis: 1_000, validateAfterIdleMillis: 600_000, ...pool },
    ...config,
  })
  pools.push(made)
  proxy.setLatency(5)
  await made.ready()
  // On a busy machine it may take several turns until the statement is measured behind another one.
  for (let turn = 0; turn < 20 && (turn === 0 || isShared(made)) && !isDeep(made); turn++) {
    for (let n = 0; n < 3; n++) await made.query(ECHO, [n])
    await Promise.all(Array.from({ length: 6 }, (_, n) => made.query(ECHO, [n])))
  }
  return made
}

function isShared(pool: GuardedPool): boolean {
  return pool.snapshot().pipelining?.active === true
}

/** True once several statements were in flight behind another one. */
function isDeep(pool: GuardedPool): boolean {
  return (pool.snapshot().pipelining?.maxDepth ?? 0) > 2
}

function sentBehind(pool: GuardedPool): number {
  return pool.snapshot().pipelining?.sentBehind ?? 0
}

function echo(pool: GuardedPool, n: number): Promise<number> {
  return pool.query(ECHO, [n]).then(({ rows }) => rows[0].n)
}

describe('given all connections in use', () => {
  test('then statements are sent behind others, and each gets its own result', async () => {
    const pool = await givenPool()
    const before = sentBehind(pool)
    const numbers = Array.from({ length: 200 }, (_, n) => n)
    expect(await Promise.all(numbers.map((n) => echo(pool, n)))).toEqual(numbers)
    expect(sentBehind(pool)).toBeGreaterThan(before + 100)
    expect(pool.snapshot().pipelining).toMatchObject({ mode: 'reads', active: true, reason: 'given', inFlight: 0 })
    expect(pool.counts).toMatchObject({ active: 0, waiting: 0, total: 1 })
  })

  test('then each has its own error, and those around it do not notice', async () => {
    const pool = await givenPool()
    const failing = 'select 1 / $1::int as n'
    for (let n = 1; n < 5; n++) await pool.query(failing, [n])
    await Promise.all([1, 2].map((n) => pool.query(failing, [n])))
    const outcomes = await Promise.allSettled(
      Array.from({ length: 60 }, (_, n) => (n % 3 === 0 ? pool.query(failing, [n % 2]) : pool.query(ECHO, [n]))),
    )
    for (const [n, outcome] of outcomes.entries()) {
      if (n % 6 === 0) expect(outcome).toMatchObject({ status: 'rejected', reason: { code: '22012' } })
      else if (n % 3 !== 0) expect(outcome).toMatchObject({ value: { rows: [{ n }] } })
    }
    expect(pool.snapshot().stats.closed).toBe(0)
  })

  test('then results, row modes, types and fields are as without pipelining', async () => {
    const pool = await givenPool()
    const types = { getTypeParser: () => (text: unknown) => `<${text}>` }
    const queries = [
      { text: ECHO, values: [1] },
      { text: ECHO, values: [1], rowMode: 'array' },
      { text: ECHO, values: ['2'], types },
      { text: 'values (1, null), (2, $1::text)', values: ['b'] },
      { text: 'select 7 as seven' },
    ]
    const alone: QueryResult[] = []
    for (let times = 0; times < 3; times++) for (const query of queries) alone.push(await pool.query(query as never))
    const before = sentBehind(pool)
    const shared = await Promise.all([...queries, ...queries, ...queries].map((query) => pool.query(query as never)))
    expect(sentBehind(pool)).toBeGreaterThan(before)
    for (const [index, { rows, fields, command, rowCount }] of shared.entries()) {
      const { rows: wantedRows, fields: wantedFields, ...wanted } = alone[index % queries.length] as QueryResult
      expect({ rows, command, rowCount }).toEqual({
        rows: wantedRows,
        command: wanted.command,
        rowCount: wanted.rowCount,
      })
      expect(fields).toEqual(wantedFields)
    }
  })

  test('then statements are still prepared automatically', async () => {
    const pool = await givenPool()
    await Promise.all(Array.from({ length: 100 }, (_, n) => echo(pool, n)))
    const { rows } = await pool.query("select statement from pg_prepared_statements where name like 'poolguard%'")
    expect(rows).toEqual([{ statement: ECHO }])
  })

  test('then an unknown statement, a write and a transaction have a connection of their own', async () => {
    const pool = await givenPool()
    await pool.query('create temporary table written (n int)')
    const before = sentBehind(pool)
    const busy = pool.query(ECHO, [1])
    const others = [
      pool.query('insert into written values ($1)', [1]),
      pool.query("select set_config('app.a', 'b', false)"),
      pool.query('select 1; select 2'),
      pool.connect().then(async (client) => {
        await client.query('begin')
        await client.query(ECHO, [2])
        await client.query('commit')
        client.release()
      }),
    ]
    await Promise.all([busy, ...others])
    expect(sentBehind(pool)).toBe(before)
  })

  test('then a caller that needs a connection of its own gets one while statements keep coming', async () => {
    const pool = await givenPool({ pool: { max: 2 } })
    let stop = false
    const callers = Array.from({ length: 30 }, async () => {
      while (!stop) await echo(pool, 1)
    })
    for (let times = 0; times < 5; times++) {
      const client = await pool.connect()
      const { rows } = await client.query('select 5 as five')
      expect(rows).toEqual([{ five: 5 }])
      client.release()
    }
    stop = true
    await Promise.all(callers)
    expect(pool.snapshot().stats.timeouts).toBe(0)
  })

  test('then each caller tells waitUntil that the pool is in use, as without pipelining', async () => {
    let calls = 0
    const pool = await givenPool({ waitUntil: () => calls++ })
    const [before, sent] = [calls, sentBehind(pool)]
    await Promise.all(Array.from({ length: 20 }, (_, n) => echo(pool, n)))
    expect(sentBehind(pool)).toBeGreaterThan(sent)
    expect(calls - before).toBe(20)
  })

  test('then end() waits for what is in flight', async () => {
    const pool = await givenPool()
    const results = Promise.all(Array.from({ length: 20 }, (_, n) => echo(pool, n)))
    await pool.end()
    expect(await results).toEqual(Array.from({ length: 20 }, (_, n) => n))
  })
})

describe('given a statement that takes longer than ever before', () => {
  /** Takes as long as the number of rows says. */
  const VARIABLE = 'select count(*)::int as n from generate_series(1, $1::int) a, generate_series(1, 1000) b'

  async function givenVariable(config: GuardedPoolConfig = {}): Promise<GuardedPool> {
    const pool = await givenPool(config)
    for (let times = 0; times < 8; times++) await pool.query(VARIABLE, [1])
    await Promise.all([pool.query(VARIABLE, [1]), pool.query(VARIABLE, [1])])
    return pool
  }

  test('when its query_timeout expires, then its caller gets the timeout, and the others their results on the same connection', async () => {
    const pool = await givenVariable()
    const pid = async () => (await pool.query('select pg_backend_pid() as pid')).rows[0].pid
    const before = await pid()
    const slow = pool.query({ text: VARIABLE, values: [10_000], query_timeout: 100 } as never)
    const behind = Promise.all([1, 2, 3].map((n) => echo(pool, n)))
    await expect(slow).rejects.toThrow('Query read timeout')
    expect(await behind).toEqual([1, 2, 3])
    expect(await pid()).toBe(before)
    expect(pool.snapshot().stats.closed).toBe(0)
  })

  test('when all callers have given up, then the connection is closed, and the query cancelled', async () => {
    const pool = await givenVariable({ query_timeout: 200 })
    const before = sentBehind(pool)
    const slow = pool.query(VARIABLE, [1_000_000])
    const behind = echo(pool, 1)
    await expect(slow).rejects.toThrow('Query read timeout')
    await expect(behind).rejects.toThrow('Query read timeout')
    expect(sentBehind(pool)).toBe(before + 1)
    await expect.poll(() => pool.snapshot().stats.closed).toBe(1)
    expect(await echo(pool, 4)).toBe(4)
  })

  test('when others wait behind it for a second, then this is reported with both texts', async () => {
    const events: PoolEvent[] = []
    const pool = await givenVariable({ onEvent: (event) => events.push(event) })
    const results = Promise.all([pool.query(VARIABLE, [40_000]), echo(pool, 1), echo(pool, 2)])
    await expect.poll(() => events.find(({ type }) => type === 'pipeline-stall')).toBeDefined()
    expect(events.find(({ type }) => type === 'pipeline-stall')).toMatchObject({
      statement: expect.any(String),
      behind: expect.any(String),
      depth: expect.any(Number),
    })
    expect(pool.snapshot().pipelining).toMatchObject({ stalls: 1 })
    await results
  })
})

test('given a read that waits for a lock whose holder waits for a statement behind it, then the stall is reported, and lock_timeout ends it', async () => {
  const events: PoolEvent[] = []
  const onEvent = (event: PoolEvent) => events.push(event)
  const pool = await givenPool({ pool: { max: 2 }, lock_timeout: 2_000, onEvent })
  await pool.query('create table locked as select 1 as id')
  const read = 'select id from locked where id = $1'
  for (let turn = 0; turn < 5; turn++) await Promise.all([1, 1, 1, 1, 1, 1].map((id) => pool.query(read, [id])))
  const holder = await pool.connect()
  await holder.query('begin')
  await holder.query('lock table locked')
  const reading = pool.query(read, [1])
  await nextTurn()
  const before = sentBehind(pool)
  const behind = echo(pool, 7)
  expect(sentBehind(pool)).toBe(before + 1)
  // The server ends the read, not the pool: the holder of its lock goes on only after the statement behind it.
  await Promise.all([
    expect(reading).rejects.toMatchObject({ code: '55P03' }),
    behind.then(async (n) => {
      expect(n).toBe(7)
      await holder.query('commit')
    }),
  ])
  holder.release()
  const texts = { statement: expect.stringContaining('from locked'), behind: expect.stringContaining('::int as n') }
  expect(events).toContainEqual(expect.objectContaining({ type: 'pipeline-stall', ...texts, depth: 2 }))
  await pool.query('drop table locked')
})

test('given a connection that is lost with statements in flight, then each fails once, and the pool recovers', async () => {
  const pool = await givenPool()
  proxy.setLatency(50)
  const outcomes: string[] = []
  const all = Array.from({ length: 20 }, (_, n) =>
    echo(pool, n).then(
      () => outcomes.push('answered'),
      () => outcomes.push('failed'),
    ),
  )
  await sleep(20)
  proxy.reset()
  await Promise.all(all)
  expect(outcomes.filter((outcome) => outcome === 'failed').length).toBeGreaterThan(1)
  expect(outcomes).toHaveLength(20)
  expect(await echo(pool, 1)).toBe(1)
  await expect.poll(() => pool.counts).toMatchObject({ active: 0, waiting: 0 })
})

test('given a connection that the server closes, then statements in flight fail, and those that wait are not sent on it', async () => {
  const pool = await givenPool()
  proxy.setLatency(200)
  const outcomes = Promise.allSettled(Array.from({ length: 150 }, (_, n) => echo(pool, n)))
  // No more are sent on one connection.
  await expect.poll(() => pool.snapshot().pipelining?.inFlight).toBe(100)
  proxy.cutAfter(1)
  await expect.poll(() => pool.snapshot().stats.closed).toBe(1)
  await proxy.heal()
  const failed = (await outcomes).filter(({ status }) => status === 'rejected')
  expect(failed).toHaveLength(100)
})

test('given a migration while statements are in flight, then each still gets its result', async () => {
  const pool = await givenPool({ pool: { max: 2 } })
  await pool.query('create table migrated (id int primary key, a int)')
  await pool.query('insert into migrated select n, n from generate_series(1, 50) n')
  const text = 'select * from migrated where id = $1'
  for (let id = 1; id < 20; id++) await pool.query(text, [id])
  let stop = false
  const wrong: unknown[] = []
  const callers = Array.from({ length: 20 }, async (_, caller) => {
    for (let turn = 0; !stop; turn++) {
      const id = ((caller * 7 + turn) % 50) + 1
      const { rows } = await pool.query(text, [id])
      if (rows[0]?.id !== id) wrong.push([id, rows])
    }
  })
  for (const column of ['b', 'c', 'd']) {
    await sleep(50)
    await pool.query(`alter table migrated add column ${column} int default 1`)
  }
  await sleep(50)
  stop = true
  await Promise.all(callers)
  expect(wrong).toEqual([])
  await pool.query('drop table migrated')
})

describe('pipelining is off', () => {
  test.skipIf(process.env.POOLGUARD_PIPELINE)('by default', async () => {
    const pool = await givenPool({ pool: { pipeline: undefined } as never })
    expect(pool.snapshot().pipelining).toMatchObject({ mode: 'off', active: false, reason: 'default', sentBehind: 0 })
  })

  test('behind a pooler that is not known to be PgBouncer', async () => {
    const pool = await givenPool({ pooler: 'transaction' })
    expect(pool.settings.reasons.pipeline).toMatch(
      /^given as 'reads', but the server of this pool is a pooler in transaction mode/,
    )
    expect(sentBehind(pool)).toBe(0)
  })

  test('for a pool with listeners of checkouts', async () => {
    const pool = await givenPool()
    pool.on('acquire', () => {})
    const before = sentBehind(pool)
    await Promise.all([1, 2, 3].map((n) => echo(pool, n)))
    expect(sentBehind(pool)).toBe(before)
  })

  test("with resetOnRelease: 'discard', and with pg's own pipeline mode", async () => {
    const discard = await givenPool({ resetOnRelease: 'discard' })
    expect(discard.settings.reasons.pipeline).toMatch(/resetOnRelease: 'discard'/)
    const own = await givenPool({ pipeline: true } as GuardedPoolConfig)
    expect(own.settings.reasons.pipeline).toMatch(/pipeline: true of pg/)
  })
})

describe('given a deadline that passes', () => {
  const SLOW_MILLIS = 400

  test('while a statement waits behind others, then its caller gets the deadline, and no other statement is disturbed', async () => {
    const pool = await givenPool()
    proxy.setLatency(SLOW_MILLIS / 2)
    const before = sentBehind(pool)
    const first = echo(pool, 1)
    // The first statement has been sent on the idle connection.
    await nextTurn()
    const late = runWithDeadline(10, () => echo(pool, 2))
    const others = Promise.all([3, 4].map((n) => echo(pool, n)))
    expect(sentBehind(pool)).toBeGreaterThan(before)
    await expect(late).rejects.toMatchObject({ code: 'POOLGUARD_DEADLINE' })
    expect(await first).toBe(1)
    expect(await others).toEqual([3, 4])
    expect(await echo(pool, 5)).toBe(5)
    expect(pool.snapshot().stats).toMatchObject({ closed: 0, timeouts: 0 })
  })

  test('while a statement waits for a connection, then its caller gets the timeout, as without pipelining', async () => {
    const pool = await givenPool()
    proxy.setLatency(SLOW_MILLIS / 2)
    const first = echo(pool, 1)
    await nextTurn()
    const late = runWithDeadline(10, () => pool.query('select 7 as unknown'))
    await expect(late).rejects.toMatchObject({ code: 'POOLGUARD_ACQUIRE_TIMEOUT' })
    expect(await first).toBe(1)
    expect(pool.snapshot().stats).toMatchObject({ closed: 0, timeouts: 1 })
  })
})
