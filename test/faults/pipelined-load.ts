import { setTimeout as sleep } from 'node:timers/promises'
import type { GuardedPool } from '@poolguard/pg'
import type { PoolClient } from 'pg'

/** What a load may do besides reading. */
export interface LoadOptions {
  /** Statements in all. */
  readonly statements: number
  readonly callers: number
  readonly seed: number
  /** Transactions, which a pooler in statement mode rejects. */
  readonly transactions: boolean
  /** Commands that need a session of the caller's own. */
  readonly sessions: boolean
}

export interface LoadReport {
  answered: number
  /** Statements that failed as they should, or because of a fault. */
  failed: number
  /** Results that were not the caller's own, with the text and the number. */
  readonly wrong: unknown[]
  /** Statements that had no outcome after a long time. */
  readonly hung: string[]
}

/** Far longer than every timeout of the load. */
const HUNG_MILLIS = 60_000

/** Runs statements of many kinds; the number of its caller is in each result. */
export async function runLoad(pool: GuardedPool, options: LoadOptions): Promise<LoadReport> {
  const report: LoadReport = { answered: 0, failed: 0, wrong: [], hung: [] }
  const random = randomFrom(options.seed)
  let next = 0
  const caller = async () => {
    while (next < options.statements) {
      const n = next++
      await settle(report, n, () => oneStatement(pool, n, random, options, report))
    }
  }
  await Promise.all(Array.from({ length: options.callers }, caller))
  return report
}

async function settle(report: LoadReport, n: number, run: () => Promise<void>): Promise<void> {
  let cancel: NodeJS.Timeout | undefined
  const hung = new Promise<void>((resolve) => {
    cancel = setTimeout(() => {
      report.hung.push(`statement ${n}`)
      resolve()
    }, HUNG_MILLIS)
  })
  const ran = run().catch(() => {
    report.failed++
  })
  await Promise.race([ran, hung])
  clearTimeout(cancel)
}

type Random = () => number

interface Query {
  readonly text: string
  readonly values?: unknown[]
  readonly query_timeout?: number
}

async function oneStatement(
  pool: GuardedPool,
  n: number,
  random: Random,
  { transactions, sessions }: LoadOptions,
  report: LoadReport,
): Promise<void> {
  const kind = random() * 1_000
  const check = (rows: readonly Record<string, unknown>[], text: string) => {
    report.answered++
    if (rows.length !== 1 || rows[0]?.n !== n) report.wrong.push({ text, n, rows })
  }
  const ask = async (query: Query) => check((await pool.query(query)).rows, query.text)
  if (kind < 500) return ask({ text: 'select $1::int as n', values: [n] })
  if (kind < 700) return ask({ text: 'select *, $2::int as n from things where id = $1', values: [(n % 50) + 1, n] })
  // More texts than prepared statements are kept.
  if (kind < 850) return ask({ text: `select $1::int as n, ${Math.floor(random() * 40)} as k`, values: [n] })
  if (kind < 890) return ask({ text: `select ${n} as n` })
  if (kind < 930) return ask({ text: 'select $1::int as n, 1 / ($2::int % 2) as q', values: [n, n] })
  if (kind < 950) return ask({ text: 'select $1::int as n from things where id = $2', values: [n, 'no number'] })
  if (kind < 960) {
    const text = 'select $1::int as n, count(*) from generate_series(1, $2::int)'
    return ask({ text, values: [n, random() < 0.3 ? 500_000 : 10], query_timeout: 20 })
  }
  if (kind < 975) return ask({ text: 'insert into written (n) values ($1) returning n', values: [n] })
  if (kind < 977) {
    const column = `c${Math.floor(random() * 3)}`
    const change = random() < 0.5 ? `add column if not exists ${column} int` : `drop column if exists ${column}`
    await pool.query(`alter table things ${change}`)
    return
  }
  if (kind < 980 && sessions) {
    await onClient(pool, (client) => client.query('discard all').then(() => undefined))
    return
  }
  if (!transactions) return ask({ text: 'select $1::int as n', values: [n] })
  await onClient(pool, async (client) => {
    await client.query('begin')
    const { rows } = await client.query('select $1::int as n', [n])
    if (random() < 0.2) await client.query('select 1 / 0').catch(() => {})
    await client.query('commit')
    check(rows, 'in a transaction')
  })
}

async function onClient(pool: GuardedPool, work: (client: PoolClient) => Promise<void>): Promise<void> {
  const client = await pool.connect()
  const ignore = () => {}
  client.on('error', ignore)
  try {
    await work(client)
    client.off('error', ignore)
    client.release()
  } catch (error) {
    client.release(error as Error)
    throw error
  }
}

/** Mulberry32: the same numbers for the same seed. */
export function randomFrom(seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Calls `fault` at random times until `done` has settled. */
export async function withFaults<T>(
  done: Promise<T>,
  seed: number,
  fault: (random: Random) => Promise<void>,
): Promise<T> {
  const random = randomFrom(seed)
  let isDone = false
  const finished = done.finally(() => {
    isDone = true
  })
  finished.catch(() => {})
  while (!isDone) {
    await Promise.race([sleep(50 + random() * 400), finished.catch(() => {})])
    if (!isDone) await fault(random)
  }
  return finished
}
