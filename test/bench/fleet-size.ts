import pg from 'pg'
import { EXCHANGE_QUERY } from '../../packages/core/src/fleet/index.ts'
import { SimulatedFleet } from '../../packages/core/src/fleet/testing/simulated-fleet.ts'
import { type PostgresServer, startPostgres } from '../harness/index.ts'
import { type Benchmark, type Figures, inParts, spread } from './benchmark.ts'

const SIZES = [10, 100, 300, 1_000]
/** Of a fleet by default. */
const INTERVAL_MILLIS = 5_000
/** Connections of each instance of a real server, and of a simulated one. */
const PER_INSTANCE = 2
const EXCHANGES = 40
/** Sessions that are opened at the same time. */
const AT_ONCE = 20

/** What the server spends on the exchanges of a fleet. */
const exchanges: Benchmark = {
  keys: {
    exchange_millis:
      'an exchange on a real server, during which it holds the lock of the fleets, by number of instances',
    lock_share:
      'share of the time for which the lock is held, with the default interval of 5 s; above 1 exchanges fail',
    shortest_interval_seconds: 'the interval with which the lock is held for half of the time',
  },
  async run(tell) {
    const most = Math.max(...SIZES) * PER_INSTANCE
    await using server = await startPostgres({ settings: { max_connections: most + 20 } })
    const sessions: pg.Client[] = []
    const bySize = await inSizes(async (instances) => {
      await openSessions(server, sessions, instances * PER_INSTANCE)
      const millis = spread(await timeExchanges(server))
      tell(`${instances} instances: ${JSON.stringify(millis)}`)
      return millis
    })
    await Promise.all(sessions.map((session) => session.end()))
    const each = Object.entries(bySize).map(([size, { median }]) => [size, Number(size) * median] as const)
    return {
      exchange_millis: bySize,
      lock_share: Object.fromEntries(each.map(([size, millis]) => [size, millis / INTERVAL_MILLIS])),
      shortest_interval_seconds: Object.fromEntries(each.map(([size, millis]) => [size, (2 * millis) / 1_000])),
    }
  },
}

/** How long the shares of a fleet take, with the real controllers on a simulated server and clock. */
const convergence: Benchmark = {
  keys: {
    intervals_after_start:
      'intervals after the last instance has started until each has its share, by number of instances; goal 2',
    intervals_after_half_left: 'intervals after half of them have ended until each has its new share; goal 2',
    rejected: 'connections that the server has rejected; goal 0',
  },
  async run(tell) {
    const figures = await inSizes(async (instances) => {
      const figure = await converge(instances)
      tell(`${instances} instances: ${JSON.stringify(figure)}`)
      return figure
    })
    const only = (key: 'start' | 'left' | 'rejected') =>
      Object.fromEntries(Object.entries(figures).map(([size, figure]) => [size, figure[key]]))
    return {
      intervals_after_start: only('start'),
      intervals_after_half_left: only('left'),
      rejected: only('rejected'),
    } satisfies Figures
  },
}

export const benchmark: Benchmark = inParts({ exchanges, convergence })

async function inSizes<T>(measure: (instances: number) => Promise<T>): Promise<Record<string, T>> {
  const bySize: Record<string, T> = {}
  for (const instances of SIZES) bySize[instances] = await measure(instances)
  return bySize
}

async function openSessions(server: PostgresServer, sessions: pg.Client[], count: number): Promise<void> {
  while (sessions.length < count) {
    const opening = Array.from({ length: Math.min(AT_ONCE, count - sessions.length) }, async (_, i) => {
      const instance = Math.floor((sessions.length + i) / PER_INSTANCE)
      const name = `orders#${instance.toString(36).padStart(6, '0')}:t=${PER_INSTANCE},d=8,n=${instance.toString(36)}`
      const client = new pg.Client({ connectionString: server.url, application_name: name })
      await client.connect()
      return client
    })
    sessions.push(...(await Promise.all(opening)))
  }
}

async function timeExchanges(server: PostgresServer): Promise<number[]> {
  const client = new pg.Client(server.url)
  await client.connect()
  const times: number[] = []
  for (let i = 0; i < EXCHANGES; i++) {
    const began = performance.now()
    await client.query(EXCHANGE_QUERY)
    await client.query(`set application_name = 'orders#zzzzzz'; commit`)
    times.push(performance.now() - began)
  }
  await client.end()
  return times
}

async function converge(instances: number): Promise<{ start: number; left: number; rejected: number }> {
  const fleet = new SimulatedFleet({ usable: instances * 2.5 + 20, seed: instances })
  for (let i = 0; i < instances; i++) {
    fleet.join({ want: 1 + Math.floor(fleet.random() * 7), tripMillis: 0.5 })
    // A rollout starts some at a time: the server's headroom is for the first connection of each.
    if (i % 20 === 0) await fleet.clock.advance(25)
  }
  const start = await intervalsUntilShared(fleet)
  for (const instance of fleet.instances.filter((_, i) => i % 2 === 0)) fleet.crash(instance)
  return { start, left: await intervalsUntilShared(fleet), rejected: fleet.server.rejected }
}

/** In quarters of an interval; Infinity after ten intervals. */
async function intervalsUntilShared(fleet: SimulatedFleet): Promise<number> {
  const due = fleet.dueShares
  const hasAll = () => fleet.instances.every(({ max }, i) => max >= (due[i] as number))
  for (let intervals = 0; intervals <= 10; intervals += 0.25) {
    if (hasAll()) return intervals
    await fleet.intervals(0.25)
  }
  return Number.POSITIVE_INFINITY
}
