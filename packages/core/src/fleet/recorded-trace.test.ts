import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { SimulatedFleet } from './testing/simulated-fleet.ts'

interface Trace {
  readonly usable: number
  readonly steps: readonly {
    readonly event: {
      readonly join?: number
      readonly instance?: number
      readonly load?: number
      readonly kill?: number
    }
    readonly targets: readonly number[]
  }[]
}

/** Recorded by test/fleet/record-trace.ts with processes on a real server. */
const trace: Trace = JSON.parse(readFileSync(new URL('./testing/recorded-trace.json', import.meta.url), 'utf8'))

/** The remainder goes to the first names, which are random. */
function sorted(targets: readonly number[]): number[] {
  return targets.toSorted((a, b) => a - b)
}

test('given a recorded trace of real processes, then the simulator calculates the same shares after every step', async () => {
  const fleet = new SimulatedFleet({ usable: trace.usable, seed: 5 })
  const joined: ReturnType<SimulatedFleet['join']>[] = []
  for (const { event, targets } of trace.steps) {
    if (event.join !== undefined) joined.push(fleet.join({ want: event.join }))
    const changed = joined[event.instance ?? event.kill ?? -1]
    if (changed && event.load !== undefined) changed.load(event.load)
    if (changed && event.kill !== undefined) fleet.crash(changed)
    await fleet.intervals(3)
    const found = fleet.instances.map(({ max }) => max)
    expect(sorted(found), JSON.stringify(event)).toEqual(sorted(targets))
  }
})
