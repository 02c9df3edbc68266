import fc from 'fast-check'
import type { FuzzTarget } from '../fuzz-target.ts'

/** Runs a scenario and checks invariants. `run` throws when one does not hold. */
interface SimulatedWorld<Count extends string> {
  readonly counts: Readonly<Record<Count, number>>
  run(): Promise<void>
}

interface SimulatedTarget<Scenario, Count extends string> extends Omit<FuzzTarget, 'prepare'> {
  readonly scenarios: fc.Arbitrary<Scenario>
  readonly World: new (scenario: Scenario) => SimulatedWorld<Count>
  /** What is summed over all worlds, and how the report calls it. */
  readonly sums: Partial<Record<Count, string>>
  /** Of what the highest of all worlds is reported. */
  readonly maxima?: Partial<Record<Count, string>>
  /** Loads the modules that the world's code loads later. */
  readonly loaded?: () => Promise<unknown>
}

/** A target whose inputs are scenarios, each for a world of its own. */
export function simulatedTarget<Scenario, Count extends string>(target: SimulatedTarget<Scenario, Count>): FuzzTarget {
  const { scenarios, World, sums, maxima = {}, loaded, ...rest } = target
  return {
    ...rest,
    async prepare() {
      await loaded?.()
      const counts: Record<string, number> = {}
      const note = (names: object, world: SimulatedWorld<Count>, join: (before: number, now: number) => number) => {
        for (const [count, name] of Object.entries(names))
          counts[name] = join(counts[name] ?? 0, world.counts[count as Count])
      }
      const property = fc.asyncProperty(scenarios, async (scenario) => {
        const world = new World(scenario)
        try {
          await world.run()
        } finally {
          note(sums, world, (before, now) => before + now)
          note(maxima, world, Math.max)
        }
      })
      return { property, counts }
    },
  }
}
