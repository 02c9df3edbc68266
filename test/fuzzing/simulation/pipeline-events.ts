import fc from 'fast-check'

/** How long the server works on each statement. */
export const SERVICE_MILLIS = { quick: 0.3, short: 2, long: 60 } as const

/** What happens to a pool whose statements share connections. `pick` selects one of the open connections. */
export type PipelineEvent =
  | {
      readonly type: 'statements'
      readonly text: keyof typeof SERVICE_MILLIS
      readonly count: number
      readonly timeoutMillis: number
    }
  | { readonly type: 'checkout'; readonly holdMillis: number }
  | { readonly type: 'kill' | 'cut' | 'stall' | 'fail'; readonly pick: number }
  | { readonly type: 'restart' }

export interface PipelineScenario {
  readonly seed: number
  readonly max: number
  readonly events: readonly (readonly [afterMillis: number, event: PipelineEvent])[]
}

const pick = fc.nat(100)
const event: fc.Arbitrary<PipelineEvent> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      ...{ type: fc.constant('statements' as const), count: fc.integer({ min: 1, max: 30 }) },
      ...{ text: fc.constantFrom('quick', 'quick', 'short', 'long'), timeoutMillis: fc.constantFrom(5, 100, 3_000) },
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('checkout' as const), holdMillis: fc.constantFrom(0, 5, 80) }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('kill', 'cut', 'stall', 'fail'), pick }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('restart' as const) }) },
)

/** What happens to a pool within some seconds. */
export const pipelineScenarios: fc.Arbitrary<PipelineScenario> = fc.record({
  seed: fc.nat(),
  max: fc.integer({ min: 1, max: 4 }),
  events: fc.array(fc.tuple(fc.constantFrom(0, 0, 0.5, 2, 10, 50, 200), event), { maxLength: 60, size: 'max' }),
})
