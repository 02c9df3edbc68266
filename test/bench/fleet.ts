import { setTimeout as pause } from 'node:timers/promises'
import type { InstanceOptions } from '../fleet/instance-messages.ts'
import { LoadedFleet, total } from '../fleet/loaded-fleet.ts'
import { StartedInstance } from '../fleet/started-instance.ts'
import { generatePrismaClient, type PostgresServer, startPostgres, waitUntil } from '../harness/index.ts'
import { type Benchmark, summarise } from './benchmark.ts'
import { FleetWatch } from './fleet-watch.ts'

const MAX_CONNECTIONS = 40
/** 37 for plain roles, less a headroom of 4. */
const TO_SHARE = 33
const CALLERS = 20
const QUERY = 'select pg_sleep(0.02)'
const FLEET = { fleet: { app: 'bench' } }

export const benchmark: Benchmark = {
  keys: {
    scale_out: '1 to 16 processes within 20 s, 5 killed, 5 new, under load: queries that failed; goal 0',
    utilisation: 'with 16 of them: connections open / (capacity - headroom); goal >= 0.9',
    overshoot: 'most by which what the instances had been given was above that; goal 0',
    rebalance_seconds: 'from one that wants all to another; goal <= 10, two intervals',
    static_ratio: 'queries/s of 4 instances / of the same with the ideal max, known in advance; goal >= 0.95',
  },
  async run(tell) {
    await generatePrismaClient(import.meta.dirname.replace(/bench$/, ''))
    await using server = await startPostgres({ maxConnections: MAX_CONNECTIONS })
    // Each run takes minutes: print its figures at once, so that an interrupted benchmark does not lose them.
    const measure = async <T>(what: string, measured: Promise<T>): Promise<T> => {
      const figures = await measured
      tell(`${what}: ${JSON.stringify(figures)}`)
      return figures
    }
    const ours = await measure(
      'a fleet scales out',
      scaleOut(server, { url: server.url, kind: 'guarded', options: FLEET }),
    )
    const pg = await measure('pg.Pool scales out', scaleOut(server, { url: server.url, kind: 'pg' }))
    const prisma = await measure('Prisma scales out', scaleOut(server, { url: server.url, kind: 'prisma' }))
    const rebalances = await measure('seconds of rebalancing', rebalance(server))
    const ratios = await measure('over a static split', compareToStatic(server))
    return {
      scale_out: {
        failed: ours.failed,
        done: ours.done,
        failed_pg_pool: pg.failed,
        done_pg_pool: pg.done,
        failed_prisma: prisma.failed,
        done_prisma: prisma.done,
      },
      utilisation: ours.utilisation,
      overshoot: ours.overshoot,
      rebalance_seconds: summarise(rebalances),
      static_ratio: summarise(ratios),
    }
  },
}

interface ScaledOut {
  readonly failed: number
  readonly done: number
  readonly utilisation: number
  readonly overshoot: number
}

async function scaleOut(server: PostgresServer, options: InstanceOptions): Promise<ScaledOut> {
  await allGone(server)
  await using watch = await FleetWatch.start(server.adminUrl, TO_SHARE)
  const running: StartedInstance[] = []
  const reports: { failed: number; done: number }[] = []
  const add = async () => {
    const instance = await StartedInstance.start(options)
    running.push(instance)
    await instance.load(CALLERS, QUERY)
  }
  try {
    const began = performance.now()
    for (let i = 0; i < 16; i++) {
      await pause(Math.max(0, began + i * 1_250 - performance.now()))
      await add()
    }
    await pause(10_000)
    const utilisation = await watch.meanOpen(3_000)
    for (const killed of running.splice(4, 5)) {
      reports.push(await killed.report())
      await killed[Symbol.asyncDispose]()
    }
    await pause(5_000)
    for (let i = 0; i < 5; i++) await add()
    await pause(10_000)
    for (const instance of running) reports.push(await instance.report())
    return {
      failed: total(reports, 'failed'),
      done: total(reports, 'done'),
      utilisation: utilisation / TO_SHARE,
      overshoot: watch.overshoot,
    }
  } finally {
    await Promise.all(running.map((instance) => instance[Symbol.asyncDispose]()))
  }
}

/** Seconds, for five changes of who wants all. */
async function rebalance(server: PostgresServer): Promise<number[]> {
  await allGone(server)
  const options: InstanceOptions = { url: server.url, kind: 'guarded', options: FLEET }
  await using a = await StartedInstance.start(options)
  await using b = await StartedInstance.start(options)
  await Promise.all([a.load(1, QUERY), b.load(1, QUERY)])
  const seconds: number[] = []
  let [wants, had] = [a, b]
  for (let i = 0; i < 6; i++) {
    const began = performance.now()
    await Promise.all([wants.load(60), had.load(1)])
    // All but what one caller of the other one, and one who watches, need.
    await waitUntil(async () => (await wants.report()).total >= TO_SHARE - 3, {
      what: 'the connections to go where they are wanted',
      deadlineMillis: 60_000,
      everyMillis: 50,
    })
    // The first time no other instance had connections to give.
    if (i > 0) seconds.push((performance.now() - began) / 1_000)
    ;[wants, had] = [had, wants]
  }
  return seconds
}

const INSTANCES = 4
const MEASURED_MILLIS = 4_000

async function compareToStatic(server: PostgresServer): Promise<number[]> {
  await allGone(server)
  const pool = { idleTimeoutMillis: 500 }
  const start = (options: Record<string, unknown>) =>
    LoadedFleet.start(INSTANCES, { url: server.url, kind: 'guarded', options })
  await using shared = await start({ ...FLEET, pool })
  const max = Math.floor((TO_SHARE - 1) / INSTANCES)
  await using split = await start({ pool: { ...pool, max } })
  const ratios: number[] = []
  for (let i = 0; i < 5; i++) {
    const order = i % 2 === 0 ? [shared, split] : [split, shared]
    const rates = new Map<LoadedFleet, number>()
    for (const fleet of order) rates.set(fleet, await rateOf(server, fleet))
    ratios.push((rates.get(shared) as number) / (rates.get(split) as number))
  }
  return ratios
}

/** Queries per second when every instance has what it is to have. */
async function rateOf(server: PostgresServer, fleet: LoadedFleet): Promise<number> {
  const load = { callers: CALLERS, text: QUERY, onsetMillis: 2 * 5_000, measuredMillis: MEASURED_MILLIS }
  const { perSecond } = await fleet.measure(load)
  await allGone(server)
  return perSecond
}

async function allGone(server: PostgresServer): Promise<void> {
  await waitUntil(async () => (await server.connectionCount()) === 0, {
    what: 'the connections to be gone',
    deadlineMillis: 60_000,
  })
}
