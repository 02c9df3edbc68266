import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { SqlitePool, type SqliteValue } from '@poolguard/sqlite'
import { type Benchmark, summarise } from './benchmark.ts'

const ROUND_MILLIS = 2_000
const WARM_UP_ROUNDS = 3
const ROUNDS = 15

/** Rows of some 100 bytes. */
const ROWS = 200_000
/** Each reads one row after the other, with a turn of the event loop between two, as requests have. */
const READERS = 64
/** Each changes one row after the other, with so much time between two. */
const WRITERS = 4
const WRITE_PAUSE_MILLIS = 5
/** A report over all rows, some tens of milliseconds, begins so often. */
const REPORT_EVERY_MILLIS = 250
/** A timer of so long tells by how late it is how long the event loop was busy. */
const LOOK_MILLIS = 10

const READ = 'SELECT id, customer, status, amount FROM orders WHERE id = ?'
const WRITE = 'UPDATE orders SET amount = amount + 1 WHERE id = ?'
const REPORT =
  'SELECT status, count(*) AS orders, sum(amount * 1.19) AS total, max(customer) AS last FROM orders GROUP BY status'

export const benchmark: Benchmark = {
  keys: {
    loop_p99_ratio: "p99 of the event loop's lateness, one synchronous connection's / ours; goal >= 10",
    reads_ratio: 'reads per second, ours / its; goal >= 0.8',
    loop_p99_millis: 'ours, in ms',
    peer_loop_p99_millis: 'that of one connection of better-sqlite3',
    reads_per_second: 'ours',
    peer_reads_per_second: 'that of one connection of better-sqlite3',
    writes_per_second: 'ours',
    peer_writes_per_second: 'that of one connection of better-sqlite3',
    report_millis: 'ours: a report under this load',
    peer_report_millis: 'that of one connection of better-sqlite3',
  },
  async run(tell) {
    const folder = await mkdtemp(path.join(tmpdir(), 'poolguard-bench-'))
    try {
      const file = path.join(folder, 'orders.db')
      tell(`${ROWS} rows, ${READERS} readers, ${WRITERS} writers, a report every ${REPORT_EVERY_MILLIS} ms`)
      const peer = openPeer(file)
      await using pool = new SqlitePool({ file })
      await pool.exec(FILL)
      const rounds: { ours: Round; theirs: Round }[] = []
      for (let i = 0; i < WARM_UP_ROUNDS + ROUNDS; i++) {
        // Each begins as often as the other.
        const first = i % 2 === 0 ? await runLoad(pool) : undefined
        const theirs = await runLoad(peer)
        const ours = first ?? (await runLoad(pool))
        if (i >= WARM_UP_ROUNDS) rounds.push({ ours, theirs })
      }
      peer.close()
      return figuresOf(rounds)
    } finally {
      await rm(folder, { recursive: true })
    }
  },
}

const FILL = `
  CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT NOT NULL, status TEXT NOT NULL, amount INTEGER NOT NULL, note TEXT);
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})
  INSERT INTO orders SELECT i, 'customer ' || i % 5000, 'status ' || i % 7, i % 1000, printf('%.*c', 60, 'x') FROM n;
`

/** What the load is run on. */
interface Database {
  query(sql: string, parameters: SqliteValue[]): unknown
}

interface Round {
  readonly reads: number
  readonly writes: number
  readonly latenessP99: number
  readonly report: number
}

async function runLoad(database: Database): Promise<Round> {
  const end = performance.now() + ROUND_MILLIS
  const lateness: number[] = []
  const reports: number[] = []
  let reads = 0
  let writes = 0
  const until = async (step: () => Promise<unknown>) => {
    while (performance.now() < end) await step()
  }
  const readers = Array.from({ length: READERS }, () =>
    until(async () => {
      await database.query(READ, [randomId()])
      reads++
      await nextTurn()
    }),
  )
  const writers = Array.from({ length: WRITERS }, () =>
    until(async () => {
      await database.query(WRITE, [randomId()])
      writes++
      await sleep(WRITE_PAUSE_MILLIS)
    }),
  )
  const reporter = until(async () => {
    const began = performance.now()
    await database.query(REPORT, [])
    reports.push(performance.now() - began)
    await sleep(Math.max(0, began + REPORT_EVERY_MILLIS - performance.now()))
  })
  const looker = until(async () => {
    const due = performance.now() + LOOK_MILLIS
    await sleep(LOOK_MILLIS)
    lateness.push(Math.max(0, performance.now() - due))
  })
  await Promise.all([...readers, ...writers, reporter, looker])
  lateness.sort((a, b) => a - b)
  return {
    reads: reads / (ROUND_MILLIS / 1_000),
    writes: writes / (ROUND_MILLIS / 1_000),
    latenessP99: lateness[Math.ceil(lateness.length * 0.99) - 1] ?? Number.NaN,
    report: summarise(reports).median,
  }
}

function randomId(): number {
  return 1 + Math.floor(Math.random() * ROWS)
}

interface BetterDatabase {
  pragma(text: string): unknown
  prepare(sql: string): {
    readonly reader: boolean
    all(...values: unknown[]): unknown
    run(...values: unknown[]): unknown
  }
  close(): void
}

/** One connection, set up as ours are, that keeps its statements prepared. */
function openPeer(file: string): Database & { close(): void } {
  const require = createRequire(new URL('../../packages/sqlite/package.json', import.meta.url))
  const Better = require('better-sqlite3') as new (path: string) => BetterDatabase
  const database = new Better(file)
  for (const pragma of ['journal_mode = WAL', 'synchronous = NORMAL', 'foreign_keys = ON']) database.pragma(pragma)
  const statements = new Map<string, ReturnType<BetterDatabase['prepare']>>()
  return {
    query(sql, parameters) {
      const statement = statements.get(sql) ?? database.prepare(sql)
      statements.set(sql, statement)
      return statement.reader ? statement.all(...parameters) : statement.run(...parameters)
    },
    close: () => database.close(),
  }
}

function figuresOf(rounds: readonly { ours: Round; theirs: Round }[]) {
  const over = (read: (round: { ours: Round; theirs: Round }) => number) => summarise(rounds.map(read))
  return {
    loop_p99_ratio: over(({ ours, theirs }) => theirs.latenessP99 / ours.latenessP99),
    reads_ratio: over(({ ours, theirs }) => ours.reads / theirs.reads),
    loop_p99_millis: over(({ ours }) => ours.latenessP99),
    peer_loop_p99_millis: over(({ theirs }) => theirs.latenessP99),
    reads_per_second: over(({ ours }) => ours.reads),
    peer_reads_per_second: over(({ theirs }) => theirs.reads),
    writes_per_second: over(({ ours }) => ours.writes),
    peer_writes_per_second: over(({ theirs }) => theirs.writes),
    report_millis: over(({ ours }) => ours.report),
    peer_report_millis: over(({ theirs }) => theirs.report),
  }
}
