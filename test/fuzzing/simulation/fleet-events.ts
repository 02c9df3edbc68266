import fc from 'fast-check'

/** What happens to a fleet. `pick` selects one of its instances. */
export type FleetEvent =
  | {
      readonly type: 'join'
      readonly want: number
      readonly role: string
      readonly min: number
      readonly tripMillis: number
    }
  | { readonly type: 'load'; readonly pick: number; readonly want: number }
  | { readonly type: 'crash' | 'freeze' | 'lose publisher'; readonly pick: number }
  | { readonly type: 'thaw' | 'restart' }

export interface FleetScenario {
  readonly seed: number
  readonly events: readonly (readonly [afterIntervals: number, event: FleetEvent])[]
}

const want = fc.constantFrom(0, 0, 1, 2, 5, 12, 40)
const pick = fc.nat(100)

const event: fc.Arbitrary<FleetEvent> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      ...{ type: fc.constant('join' as const), want, role: fc.constantFrom('orders', 'bills') },
      ...{ min: fc.constantFrom(0, 0, 0, 2), tripMillis: fc.constantFrom(0.5, 3, 40) },
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('load' as const), pick, want }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('crash', 'freeze', 'lose publisher'), pick }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('thaw', 'thaw', 'restart') }) },
)

/** What happens to a fleet within some minutes. */
export const fleetScenarios: fc.Arbitrary<FleetScenario> = fc.record({
  seed: fc.nat(),
  events: fc.array(fc.tuple(fc.constantFrom(0, 0.01, 0.1, 0.5, 1), event), { maxLength: 40, size: 'max' }),
})
