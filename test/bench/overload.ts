import { setTimeout as sleep } from 'node:timers/promises'
import { DEFAULT_POOL_SETTINGS, Pool } from '@poolguard/core/adapter'
import { GuardedPool } from '@poolguard/pg'
import pg from 'pg'
import { type PostgresServer, startPgBouncer, startPostgres } from '../harness/index.ts'
import { abortAtRandom } from './aborts.ts'
import { adaptive } from './adaptive/adaptive.ts'
import { fleets } from './adaptive/fleets.ts'
import { type Benchmark, compare, type Figure, inParts, summarise } from './benchmark.ts'
import { LANES_KEYS, measureLanes } from './lanes.ts'
import { type Arrival, closedLoop, isInTime, openLoop, PATIENCE_MILLIS, percentile } from './open-loop.ts'

const RUNS = 5
const CONNECTIONS = 16
const FACTOR = 3
/** Of each measurement of what the server can do. */
const CAPACITY_MILLIS = 2_000
/** At the beginning of an overload, which is not counted: a queue has to form. */
const ONSET_MILLIS = 2_000
const OVERLOAD_MILLIS = 5_000
/** After an overload, at half of what the server can do. */
const RELIEF_MILLIS = 4_000
const ABORTS = 100_000
const CHECKOUTS = 50_000

/** Some milliseconds of work for the server, so that it is at its limit long before this process is. */
const QUERY = 'select sum(sqrt(n)) from generate_series(1, 20000) n'

const shedding: Benchmark = {
  keys: {
    goodput_at_3x_overload: `answers within ${PATIENCE_MILLIS} ms at three times the load over what the server can do, overload: 'shed'; goal >= 0.9`,
    goodput_at_3x_overload_wait: "of overload: 'wait'",
    goodput_at_3x_overload_fifo: 'of pg.Pool with a timeout, which serves first come, first served',
    overload_success_p99_millis: "of the answers with 'shed'; goal <= 50",
    overload_refusal_p99_millis: "of the rejections with 'shed'; goal <= 150",
    goodput_after_overload_seconds: "from the end of an overload until 'shed' answers every caller in time; goal <= 2",
    shedding_cost_unloaded: "time of a checkout that does not wait, 'shed' / 'wait'; goal <= 1.02",
  },
  async run(tell) {
    await using server = await startPostgres({ maxConnections: 80 })
    const measured = await measureShedding(server, tell)
    tell('checkouts without an overload')
    const { ratio } = await compare({ ours: () => checkoutTime('shed'), theirs: () => checkoutTime('wait') })
    return { ...measured, shedding_cost_unloaded: ratio }
  },
}

const lanes: Benchmark = {
  keys: LANES_KEYS,
  async run(tell) {
    await using server = await startPostgres({ maxConnections: 80 })
    return { ...(await measureLanes(server.url, RUNS, tell)) }
  },
}

const aborts: Benchmark = {
  keys: {
    server_work_after_abort_millis:
      'p99 from an abort until the server had ended the statement and its connection was used again; goal <= 100',
    innocent_statements_cancelled: `of callers that did not abort, beside ${ABORTS} random aborts; goal 0`,
    connections_lost_to_aborts: 'goal 0',
  },
  async run(tell) {
    await using server = await startPostgres({ maxConnections: 80 })
    await using pgBouncer = await startPgBouncer({ poolMode: 'transaction', upstream: server })
    const measured: Record<string, Record<string, Figure>> = { free: {}, innocent: {}, lost: {} }
    for (const [name, { url }] of Object.entries({ direct: server, pgbouncer: pgBouncer })) {
      tell(`aborts: ${name}`)
      const { p99MillisUntilFree, innocentCancelled, connectionsLost } = await abortAtRandom(url, ABORTS)
      Object.assign(measured.free as object, { [name]: p99MillisUntilFree })
      Object.assign(measured.innocent as object, { [name]: innocentCancelled })
      Object.assign(measured.lost as object, { [name]: connectionsLost })
    }
    return {
      server_work_after_abort_millis: measured.free as Record<string, Figure>,
      innocent_statements_cancelled: measured.innocent as Record<string, Figure>,
      connections_lost_to_aborts: measured.lost as Record<string, Figure>,
    }
  },
}

export const benchmark = inParts({ shedding, lanes, adaptive, fleets, aborts })

/** A pool as a caller of the benchmark sees it. */
interface Candidate {
  query(): Promise<unknown>
  end(): Promise<void>
}

function guarded(url: string, overload: 'shed' | 'wait'): Candidate {
  const settings = { overload, acquireTimeoutMillis: PATIENCE_MILLIS, maxWaiters: Infinity }
  const pool = new GuardedPool({ url, max: CONNECTIONS, pool: settings })
  return { query: () => pool.query(QUERY), end: () => pool.end() }
}

function plain(url: string): Candidate {
  const options = { connectionString: url, max: CONNECTIONS, connectionTimeoutMillis: PATIENCE_MILLIS }
  const pool = new pg.Pool(options)
  return { query: () => pool.query(QUERY), end: () => pool.end() }
}

/** All candidates are measured in each run, each right after what the server could do at that time. */
async function measureShedding(server: PostgresServer, tell: (text: string) => void): Promise<Record<string, Figure>> {
  const candidates = {
    goodput_at_3x_overload: () => guarded(server.url, 'shed'),
    goodput_at_3x_overload_wait: () => guarded(server.url, 'wait'),
    goodput_at_3x_overload_fifo: () => plain(server.url),
  }
  const measured: Record<string, number[]> = {}
  const record = (key: string, value: number) => {
    measured[key] ??= []
    measured[key].push(value)
  }
  for (let run = 1; run <= RUNS; run++) {
    for (const [key, make] of Object.entries(candidates)) {
      tell(`overload, run ${run} of ${RUNS}: ${key}`)
      const candidate = make()
      const capacity = await closedLoop(candidate.query, CONNECTIONS, CAPACITY_MILLIS)
      const { arrivals, relieved } = await overload(candidate, capacity)
      const inTime = arrivals.filter(isInTime)
      record(key, inTime.length / ((capacity * OVERLOAD_MILLIS) / 1_000))
      if (key === 'goodput_at_3x_overload') {
        record(
          'overload_success_p99_millis',
          percentile(
            inTime.map(({ tookMillis }) => tookMillis),
            0.99,
          ),
        )
        const refused = arrivals.filter(({ answered }) => !answered).map(({ tookMillis }) => tookMillis)
        record('overload_refusal_p99_millis', percentile(refused, 0.99))
        record('goodput_after_overload_seconds', secondsUntilRelief(relieved))
      }
      await candidate.end()
      await sleep(500)
    }
  }
  return Object.fromEntries(Object.entries(measured).map(([key, values]) => [key, summarise(values)]))
}

/** The arrivals during an overload, and those afterwards. */
async function overload({ query }: Candidate, capacity: number): Promise<{ arrivals: Arrival[]; relieved: Arrival[] }> {
  const began = performance.now()
  const all = await Promise.all([
    openLoop(query, capacity * FACTOR, ONSET_MILLIS + OVERLOAD_MILLIS),
    sleep(ONSET_MILLIS + OVERLOAD_MILLIS).then(() => openLoop(query, capacity / 2, RELIEF_MILLIS)),
  ])
  return { arrivals: all[0].filter(({ since }) => since - began > ONSET_MILLIS), relieved: all[1] }
}

/** When the last caller arrived that was not answered in time, in seconds after the overload; 0 if there is none. */
function secondsUntilRelief(relieved: readonly Arrival[]): number {
  const began = relieved[0]?.since ?? 0
  const last = relieved.findLast((arrival) => !isInTime(arrival))
  return last ? (last.since - began) / 1_000 : 0
}

/** Of a pool with free connections, in milliseconds for all of them. */
async function checkoutTime(policy: 'shed' | 'wait'): Promise<number> {
  const pool = new Pool({
    name: 'bench',
    settings: { ...DEFAULT_POOL_SETTINGS, overload: policy },
    classify: () => 'unavailable',
    factory: { open: async () => ({}), close: async () => {} },
  })
  const began = performance.now()
  for (let i = 0; i < CHECKOUTS; i++) (await pool.acquire()).release()
  const millis = performance.now() - began
  await pool.drain()
  return millis
}
