/**
 * Runs a scenario on real servers and records it for the simulator, which must calculate the same shares:
 * `node test/fleet/record-trace.ts > packages/core/src/fleet/testing/recorded-trace.json`
 */
import { setTimeout as pause } from 'node:timers/promises'
import { startPostgres } from '../harness/index.ts'
import { StartedInstance } from './started-instance.ts'

/** An event of the scenario, for the instance with that number; `load` is the number of callers. */
type Event =
  | { readonly join: number }
  | { readonly instance: number; readonly load: number }
  | { readonly kill: number }

const INTERVAL_MILLIS = 2_000
const SCENARIO: readonly Event[] = [
  { join: 40 },
  { join: 40 },
  { join: 3 },
  { join: 40 },
  { instance: 0, load: 5 },
  { instance: 2, load: 40 },
  { kill: 1 },
  { join: 12 },
  { kill: 3 },
  { instance: 0, load: 40 },
]

await using server = await startPostgres({ maxConnections: 40 })
const instances: StartedInstance[] = []
const alive = new Set<StartedInstance>()
const steps: { event: Event; targets: number[] }[] = []
for (const event of SCENARIO) {
  if ('join' in event) {
    const instance = await StartedInstance.start({
      url: server.url,
      kind: 'guarded',
      options: { fleet: { app: 'trace', intervalMillis: INTERVAL_MILLIS }, pool: { idleTimeoutMillis: 1_000 } },
    })
    instances.push(instance)
    alive.add(instance)
    await instance.load(event.join, 'select pg_sleep(0.02)')
  } else if ('load' in event) {
    await instances[event.instance]?.load(event.load)
  } else {
    const killed = instances[event.kill] as StartedInstance
    alive.delete(killed)
    await killed[Symbol.asyncDispose]()
  }
  await pause(3 * INTERVAL_MILLIS)
  const reports = await Promise.all([...alive].map((instance) => instance.report()))
  steps.push({ event, targets: reports.map(({ fleet }) => fleet?.maxConnections ?? 0) })
}
await Promise.all([...alive].map((instance) => instance[Symbol.asyncDispose]()))
process.stdout.write(
  `${JSON.stringify({ postgres: server.version, usable: 37, intervalMillis: INTERVAL_MILLIS, steps }, null, 2)}\n`,
)
