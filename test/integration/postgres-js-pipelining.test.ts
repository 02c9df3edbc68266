import { setTimeout as sleep } from 'node:timers/promises'
import { type GuardedOptions, type GuardedSql, guardPostgres } from '@poolguard/postgres-js'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { randomFrom, withFaults } from '../faults/pipelined-load.ts'
import {
  describeWithPgBouncer,
  type FaultProxy,
  type PgBouncerServer,
  type PostgresServer,
  startPgBouncer,
  startPostgres,
  startProxy,
} from '../harness/index.ts'
import { isFullMatrix } from '../matrix.ts'

const STATEMENTS = Number(process.env.STATEMENTS ?? (isFullMatrix ? 200_000 : 4_000))
const TIMEOUT_MILLIS = 120_000 + STATEMENTS * 10
const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000)

let server: PostgresServer
let proxy: FaultProxy
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 30 })
  await server.query(`
    create table things (id int primary key, at timestamptz);
    insert into things select n, now() from generate_series(1, 50) n;
    alter table things owner to app`)
  proxy = await startProxy({ target: server })
})
afterAll(async () => {
  await proxy.stop()
  await server.stop()
})

const open: GuardedSql[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((sql) => (sql.closed ? undefined : sql.end())))
  await proxy.heal()
})

async function givenSql(
  { pool, ...options }: GuardedOptions = {},
  url = proxy.urlFor(server.url),
): Promise<GuardedSql> {
  const sql = guardPostgres(url, {
    onnotice: () => {},
    pool: { max: 1, pipeline: 'reads', shareWithinMillis: 1_000, ...pool },
    ...options,
  })
  open.push(sql)
  await sql.ready()
  return sql
}

/** A pool with one connection, far away, that knows a fast statement. */
async function givenTaughtSql(options: GuardedOptions = {}): Promise<GuardedSql> {
  const sql = await givenSql(options)
  proxy.setLatency(5)
  // On a busy machine it may take several turns until the statement is measured behind another one.
  const isDeep = () => (sql.snapshot().pipelining?.maxDepth ?? 0) > 2
  for (let turn = 0; turn < 20 && !isDeep(); turn++) {
    for (let n = 0; n < 3; n++) await echo(sql, n)
    await Promise.all([1, 2, 3, 4, 5, 6].map((n) => echo(sql, n)))
  }
  return sql
}

async function echo(sql: GuardedSql, n: number): Promise<number> {
  const [row] = await sql<{ n: number }[]>`select ${n}::int as n`
  return row?.n as number
}

function sentBehind(sql: GuardedSql): number {
  return sql.snapshot().pipelining?.sentBehind ?? 0
}

describe('given all connections in use', () => {
  test('then queries are sent behind others, and each gets its own result', async () => {
    const sql = await givenTaughtSql()
    const before = sentBehind(sql)
    const numbers = Array.from({ length: 200 }, (_, n) => n)
    expect(await Promise.all(numbers.map((n) => echo(sql, n)))).toEqual(numbers)
    expect(sentBehind(sql)).toBeGreaterThan(before + 100)
    expect(sql.counts).toMatchObject({ active: 0, waiting: 0, total: 1 })
  })

  test('then each has its own error', async () => {
    const sql = await givenTaughtSql()
    const divide = async (n: number) => (await sql<{ q: number }[]>`select 10 / ${n}::int as q`)[0]?.q
    for (const n of [1, 2, 5]) await divide(n)
    const outcomes = await Promise.allSettled([1, 0, 2, 0, 5, 1].map((n) => divide(n)))
    expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason.code))).toEqual([
      ...[10, '22012', 5, '22012', 2, 10],
    ])
  })

  test('then a value that cannot be serialized fails alone', async () => {
    const sql = await givenTaughtSql()
    const at = async (value: unknown) => (await sql`select ${value as string}::timestamptz as at, 1 as n`)[0]?.n
    for (let times = 0; times < 3; times++) await at('2026-01-02')
    await Promise.all(['2026-01-02', '2026-01-03'].map(at))
    const outcomes = await Promise.allSettled([
      at('2026-01-02'),
      at('no date'),
      at(undefined),
      at('2026-01-03'),
      echo(sql, 7),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
      'fulfilled',
      'fulfilled',
    ])
    expect(sql.snapshot().stats.closed).toBe(0)
  })

  test('then a name that postgres.js inserts is not taken for a parameter', async () => {
    const sql = await givenTaughtSql()
    await sql`create sequence if not exists numbers`
    const before = sentBehind(sql)
    const results = await Promise.all(
      [1, 2, 3, 4].map(async () => Number((await sql`select ${sql('nextval')}('numbers') as n`)[0]?.n)),
    )
    expect(results.sort()).toEqual([1, 2, 3, 4])
    expect(sentBehind(sql)).toBe(before)
    await sql`drop sequence numbers`
  })

  test('then a cancelled query is rejected, and no other one is disturbed', async () => {
    const sql = await givenTaughtSql()
    proxy.setLatency(50)
    const first = echo(sql, 1)
    const cancelled = sql`select ${2}::int as n`
    const outcome = Promise.allSettled([cancelled])
    const others = Promise.all([3, 4, 5].map((n) => echo(sql, n)))
    await sleep(20)
    cancelled.cancel()
    expect(await outcome).toMatchObject([{ reason: { code: '57014' } }])
    expect(await first).toBe(1)
    expect(await others).toEqual([3, 4, 5])
  })

  test('then transactions, cursors and reserved connections are exclusive', async () => {
    const sql = await givenTaughtSql({ pool: { max: 2 } })
    let stop = false
    const callers = Array.from({ length: 20 }, async () => {
      while (!stop) expect(await echo(sql, 3)).toBe(3)
    })
    for (let times = 0; times < 5; times++) {
      await sql.begin(async (tx) => {
        expect((await tx`select ${times}::int as n`)[0]?.n).toBe(times)
      })
      let rows = 0
      for await (const batch of sql`select generate_series(1, 30) as n`.cursor(10)) rows += batch.length
      expect(rows).toBe(30)
      const reserved = await sql.reserve()
      expect((await reserved`select 4 as n`)[0]?.n).toBe(4)
      reserved.release()
    }
    stop = true
    await Promise.all(callers)
  })

  test('then end() waits for what is in flight', async () => {
    const sql = await givenTaughtSql()
    const results = Promise.all(Array.from({ length: 20 }, (_, n) => echo(sql, n)))
    // postgres.js sends an awaited query some microtasks later.
    await sleep(1)
    await sql.end()
    expect(await results).toEqual(Array.from({ length: 20 }, (_, n) => n))
  })
})

test('given a connection that the server closes, then queries in flight fail, and those that wait are not sent on it', async () => {
  const sql = await givenTaughtSql()
  proxy.setLatency(200)
  const outcomes = Promise.allSettled(Array.from({ length: 150 }, (_, n) => echo(sql, n)))
  // No more are sent on one connection.
  await expect.poll(() => sql.snapshot().pipelining?.inFlight).toBe(100)
  proxy.cutAfter(1)
  await expect.poll(() => sql.snapshot().stats.closed).toBe(1)
  await proxy.heal()
  const failed = (await outcomes).filter(({ status }) => status === 'rejected')
  expect(failed).toHaveLength(100)
})

interface Report {
  answered: number
  failed: number
  readonly wrong: unknown[]
}

/** Runs statements of many kinds; the number of its caller is in each result. */
async function load(sql: GuardedSql, statements: number, seed: number): Promise<Report> {
  const isDirect = sql.snapshot().topology?.kind === 'direct'
  const random = randomFrom(seed)
  const report: Report = { answered: 0, failed: 0, wrong: [] }
  let next = 0
  const one = async (n: number): Promise<readonly Record<string, unknown>[]> => {
    const kind = random()
    if (kind < 0.5) return sql`select ${n}::int as n`
    if (kind < 0.7) return sql`select *, ${n}::int as n from things where id = ${(n % 50) + 1}`
    if (kind < 0.8) return sql.unsafe(`select $1::int as n, ${Math.floor(random() * 30)} as k`, [n])
    if (kind < 0.85) return sql`select ${n}::int as n, 1 / (${n}::int % 2) as q`
    if (kind < 0.88) return sql`select ${n}::int as n from things where at > ${'no date'}`
    if (kind < 0.9) return sql`select ${n}::int as n, ${undefined as never}`
    if (kind < 0.91) {
      const cancelled = sql`select ${n}::int as n`
      setTimeout(() => cancelled.cancel(), random() * 3)
      return cancelled
    }
    if (kind < 0.915) {
      // Behind a pooler postgres.js reads rows with the columns that it knew before a migration, with or without pipelining.
      const column = random() < 0.5 ? 'add column if not exists c int' : 'drop column if exists c'
      await sql.unsafe(
        `alter table things ${isDirect ? column : `set (fillfactor = ${50 + Math.floor(random() * 50)})`}`,
      )
      return [{ n }]
    }
    return sql.begin(async (tx) => tx`select ${n}::int as n`)
  }
  const caller = async () => {
    while (next < statements) {
      const n = next++
      try {
        const rows = await one(n)
        report.answered++
        if (rows.length !== 1 || rows[0]?.n !== n) report.wrong.push({ n, rows })
      } catch {
        report.failed++
      }
    }
  }
  await Promise.all(Array.from({ length: 48 }, caller))
  return report
}

for (const version of [undefined, '1.24', '1.26'] as const) {
  const describeTarget = version === undefined ? describe : await describeWithPgBouncer(version)
  describeTarget(`pipelined queries through ${version === undefined ? 'PostgreSQL' : `PgBouncer ${version}`}`, () => {
    let pooler: PgBouncerServer | undefined
    let toTarget: FaultProxy
    beforeAll(async () => {
      const settings = { default_pool_size: 4, max_prepared_statements: 50 }
      if (version !== undefined)
        pooler = await startPgBouncer({ version, poolMode: 'transaction', upstream: server, settings })
      toTarget = await startProxy({ target: pooler ?? server })
    })
    afterAll(async () => {
      await toTarget.stop()
      await pooler?.stop()
    })

    async function givenPool(): Promise<GuardedSql> {
      const pool = { max: 4, acquireTimeoutMillis: 20_000, shareWithinMillis: 10 }
      const sql = await givenSql({ pool, onEvent: () => {} }, toTarget.urlFor((pooler ?? server).url))
      expect(sql.settings.values.pipeline).toBe('reads')
      return sql
    }

    async function expectNoLeak(sql: GuardedSql): Promise<void> {
      await expect.poll(() => sql.counts).toMatchObject({ active: 0, waiting: 0 })
      expect(sql.snapshot().pipelining).toMatchObject({ inFlight: 0 })
      expect(await echo(sql, 5)).toBe(5)
    }

    test(
      `each result is its caller's (seed ${SEED})`,
      async () => {
        const sql = await givenPool()
        toTarget.setLatency(1)
        const report = await load(sql, STATEMENTS / 6, SEED)
        await toTarget.heal()
        expect(report.wrong.slice(0, 3)).toEqual([])
        expect(sentBehind(sql)).toBeGreaterThan(report.answered / 20)
        await expectNoLeak(sql)
      },
      TIMEOUT_MILLIS,
    )

    test(
      `each result is its caller's, whatever happens to the connections (seed ${SEED})`,
      async () => {
        const sql = await givenPool()
        const report = await withFaults(load(sql, STATEMENTS / 6, SEED + 1), SEED, async (random) => {
          const kind = random()
          if (kind < 0.5) toTarget.reset()
          else if (kind < 0.8) toTarget.cutAfter(Math.floor(random() * 5_000))
          else toTarget.setLatency(Math.floor(random() * 4))
          await sleep(20)
          await toTarget.heal()
        })
        expect(report.wrong.slice(0, 3)).toEqual([])
        expect(report.answered).toBeGreaterThan(0)
        await expectNoLeak(sql)
      },
      TIMEOUT_MILLIS,
    )
  })
}
