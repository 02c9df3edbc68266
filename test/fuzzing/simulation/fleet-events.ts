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
  /** A client of a trusted role names its connection like an instance; one with the same `id` changes its name. */
  | { readonly type: 'claim'; readonly id: number; readonly name: string }

export interface FleetScenario {
  readonly seed: number
  readonly events: readonly (readonly [afterIntervals: number, event: FleetEvent])[]
}

const want = fc.constantFrom(0, 0, 1, 2, 5, 12, 40)
const pick = fc.nat(100)
const figure = fc.constantFrom(0, 1, 5, 60, 9_999)
const hostileName = fc
  .tuple(
    fc.constantFrom('x#aaaaaa', 'x#bbbbbb', 'app#000001'),
    figure,
    figure,
    figure,
    fc.constantFrom('1', 'zz', 'zzzzz'),
  )
  .map(([member, t, d, m, n]) => `${member}:t=${t},d=${d},m=${m},n=${n}`)

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
  { weight: 1, arbitrary: fc.record({ type: fc.constant('claim' as const), id: fc.nat(2), name: hostileName }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('thaw', 'thaw', 'restart') }) },
)

/** What happens to a fleet within some minutes. */
export const fleetScenarios: fc.Arbitrary<FleetScenario> = fc.record({
  seed: fc.nat(),
  events: fc.array(fc.tuple(fc.constantFrom(0, 0.01, 0.1, 0.5, 1), event), { maxLength: 40, size: 'max' }),
})
