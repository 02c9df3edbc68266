import { setTimeout as sleep } from 'node:timers/promises'
import { runInLane } from '@poolguard/core'
import { GuardedPool } from '@poolguard/pg'
import { type Figure, summarise } from './benchmark.ts'
import { type Arrival, closedLoop, openLoop, percentile } from './open-loop.ts'

const CONNECTIONS = 16
/** Requests offer this part of what the connections can do. */
const WEB_SHARE = 0.2
/** Jobs offer this many times of what the connections can do. */
const JOBS_FACTOR = 10
const CAPACITY_MILLIS = 1_500
const UNLOADED_MILLIS = 3_000
/** At the beginning of the flood, which is not counted: a queue has to form. */
const ONSET_MILLIS = 1_000
const FLOOD_MILLIS = 4_000
const PATIENCE_MILLIS = 1_000

/** The connections limit this statement, not the server's processors: more of them would do more. */
const QUERY = 'select pg_sleep(0.1)'

export const LANES_KEYS = {
  web_p99_over_unloaded:
    `p99 of requests while jobs offer ${JOBS_FACTOR} times what the connections can do, over that of the same requests alone, ` +
    'with lanes { web: { reserve }, jobs }; goal <= 1.5',
  web_p99_over_unloaded_without_lanes: 'the same in a pool without lanes',
  jobs_share_of_remaining_capacity:
    'jobs answered meanwhile, over what the connections could do beside the requests; goal >= 0.8',
}

/** Requests and jobs in one pool, which are measured right after what its connections can do. */
export async function measureLanes(
  url: string,
  runs: number,
  tell: (text: string) => void,
): Promise<Record<keyof typeof LANES_KEYS, Figure>> {
  const withLanes: Flood[] = []
  const without: Flood[] = []
  for (let run = 1; run <= runs; run++) {
    tell(`a flood of jobs, run ${run} of ${runs}`)
    withLanes.push(await flood(url, true))
    without.push(await flood(url, false))
  }
  return {
    web_p99_over_unloaded: summarise(withLanes.map(({ webP99Ratio }) => webP99Ratio)),
    web_p99_over_unloaded_without_lanes: summarise(without.map(({ webP99Ratio }) => webP99Ratio)),
    jobs_share_of_remaining_capacity: summarise(withLanes.map(({ jobsShare }) => jobsShare)),
  }
}

interface Flood {
  readonly webP99Ratio: number
  readonly jobsShare: number
}

async function flood(url: string, hasLanes: boolean): Promise<Flood> {
  // The reserve is what requests use on average, and half as much again: they arrive at random.
  const reserve = Math.ceil(CONNECTIONS * WEB_SHARE * 1.5)
  const lanes = hasLanes ? { web: { reserve }, jobs: {} } : undefined
  const pool = new GuardedPool({ url, max: CONNECTIONS, lanes, pool: { acquireTimeoutMillis: PATIENCE_MILLIS } })
  const query = () => pool.query(QUERY)
  const web = hasLanes ? () => runInLane('web', query) : query
  const job = hasLanes ? () => runInLane('jobs', query) : query
  const capacity = await closedLoop(web, CONNECTIONS, CAPACITY_MILLIS)
  const unloaded = await openLoop(web, capacity * WEB_SHARE, UNLOADED_MILLIS)
  const began = performance.now()
  const [requests, jobs] = await Promise.all([
    openLoop(web, capacity * WEB_SHARE, ONSET_MILLIS + FLOOD_MILLIS),
    openLoop(job, capacity * JOBS_FACTOR, ONSET_MILLIS + FLOOD_MILLIS),
  ])
  await pool.end()
  await sleep(200)
  const counts = ({ since }: Arrival) => since - began > ONSET_MILLIS
  const counted = requests.filter(counts)
  // A job counts when it is answered: it waits for most of its time.
  const until = began + ONSET_MILLIS + FLOOD_MILLIS
  const answeredAt = ({ since, tookMillis }: Arrival) => since + tookMillis
  const done = jobs.filter(
    (each) => each.answered && answeredAt(each) > began + ONSET_MILLIS && answeredAt(each) <= until,
  )
  const remaining = (capacity * FLOOD_MILLIS) / 1_000 - counted.filter(({ answered }) => answered).length
  return { webP99Ratio: p99(counted) / p99(unloaded), jobsShare: done.length / remaining }
}

/** A request that is not answered takes as long as its caller waits. */
function p99(arrivals: readonly Arrival[]): number {
  const times = arrivals.map(({ answered, tookMillis }) =>
    answered ? tookMillis : Math.max(tookMillis, PATIENCE_MILLIS),
  )
  return percentile(times, 0.99)
}
