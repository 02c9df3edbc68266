import fc from 'fast-check'
import type { Answers, Availability } from './simulated-network.ts'

/** What happens to the processes of an app and to their server. `pick` selects one of the processes or connections. */
export type GuardEvent =
  | { readonly type: 'join'; readonly max: number | undefined; readonly min: number }
  | { readonly type: 'leave' | 'close idle' | 'refresh'; readonly pick: number }
  | {
      readonly type: 'calls'
      readonly pick: number
      readonly count: number
      readonly holdMillis: number
      readonly timeoutMillis: number
    }
  | { readonly type: 'kill' | 'cut'; readonly pick: number }
  | { readonly type: 'restart'; readonly maxConnections: number }
  | { readonly type: 'availability'; readonly availability: Availability }
  | { readonly type: 'latency'; readonly tripMillis: number }
  | { readonly type: 'answers'; readonly answers: Answers }
  /** Other clients of the server. */
  | { readonly type: 'others'; readonly count: number }

export interface GuardScenario {
  readonly seed: number
  readonly events: readonly (readonly [afterMillis: number, event: GuardEvent])[]
}

const pick = fc.nat(100)

const event: fc.Arbitrary<GuardEvent> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      ...{ type: fc.constant('join' as const), max: fc.constantFrom(undefined, undefined, 3, 20) },
      min: fc.constantFrom(0, 0, 2),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      ...{ type: fc.constant('calls' as const), pick, count: fc.constantFrom(1, 2, 5, 20, 60, 150) },
      holdMillis: fc.constantFrom(1, 20, 400, 8_000),
      timeoutMillis: fc.constantFrom(50, 2_000, 20_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('leave', 'close idle', 'refresh'), pick }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('kill', 'cut'), pick }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('restart' as const), maxConnections: fc.constantFrom(25, 60) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('availability' as const),
      availability: fc.constantFrom<Availability>('up', 'up', 'refusing', 'silent'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('latency' as const), tripMillis: fc.constantFrom(0, 2, 30, 300) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('answers' as const),
      answers: fc.constantFrom<Answers>('true', 'made up', 'made up'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('others' as const), count: fc.constantFrom(0, 5, 15) }) },
)

/** What happens within some minutes. */
export const guardScenarios: fc.Arbitrary<GuardScenario> = fc.record({
  seed: fc.nat(),
  events: fc.array(fc.tuple(fc.constantFrom(0, 1, 30, 400, 3_000, 12_000), event), { maxLength: 30, size: 'max' }),
})
