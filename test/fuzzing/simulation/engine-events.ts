import fc from 'fast-check'
import { DEFAULT_POOL_SETTINGS, type PoolSettings } from '../../../packages/core/src/pool/index.ts'
import type { Availability } from './simulated-network.ts'

export interface Call {
  readonly type: 'call'
  readonly lane: 'web' | 'jobs'
  readonly holdMillis: number
  readonly timeoutMillis: number
  /** Undefined for a caller without a signal. */
  readonly abortAfterMillis: number | undefined
  readonly end: 'release' | 'destroy'
}

/** What happens to a pool. `pick` selects one of the open connections. */
export type EngineEvent =
  | Call
  | { readonly type: 'calls'; readonly count: number; readonly call: Call }
  | { readonly type: 'kill' | 'cut'; readonly pick: number }
  | { readonly type: 'restart' | 'close idle' | 'retire' }
  | { readonly type: 'availability'; readonly availability: Availability }
  | { readonly type: 'latency'; readonly tripMillis: number }
  | { readonly type: 'resize'; readonly max: number }

export interface EngineScenario {
  readonly seed: number
  readonly settings: PoolSettings
  readonly hasLanes: boolean
  readonly events: readonly (readonly [afterMillis: number, event: EngineEvent])[]
}

const call: fc.Arbitrary<Call> = fc.record({
  type: fc.constant('call' as const),
  lane: fc.constantFrom('web', 'jobs'),
  holdMillis: fc.constantFrom(0, 1, 3, 10, 50, 400),
  timeoutMillis: fc.constantFrom(20, 200, 2_000, Infinity),
  abortAfterMillis: fc.constantFrom(undefined, undefined, undefined, 0, 5, 50),
  end: fc.constantFrom('release', 'release', 'release', 'destroy'),
})

const event: fc.Arbitrary<EngineEvent> = fc.oneof(
  { weight: 12, arbitrary: call },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('calls' as const), count: fc.integer({ min: 2, max: 12 }), call }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('kill', 'cut'), pick: fc.nat(100) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('restart', 'close idle', 'retire') }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('availability' as const),
      availability: fc.constantFrom<Availability>('up', 'up', 'refusing', 'full', 'silent'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('latency' as const), tripMillis: fc.constantFrom(0, 2, 30, 120) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('resize' as const), max: fc.integer({ min: 2, max: 6 }) }) },
)

const settings: fc.Arbitrary<PoolSettings> = fc
  .record({
    max: fc.integer({ min: 2, max: 5 }),
    min: fc.integer({ min: 0, max: 2 }),
    maxUses: fc.constantFrom(3, Infinity),
    maxWaiters: fc.constantFrom(4, 1_000),
    maxLifetimeMillis: fc.constantFrom(700, 1_800_000),
    idleTimeoutMillis: fc.constantFrom(0, 100, 30_000),
    validateAfterIdleMillis: fc.constantFrom(0, 20, 500),
    overload: fc.constantFrom('wait', 'wait', 'shed'),
  })
  .map((some) => ({ ...DEFAULT_POOL_SETTINGS, connectTimeoutMillis: 300, drainMillis: 500, ...some }))

/** What happens to a pool within some seconds. */
export const engineScenarios: fc.Arbitrary<EngineScenario> = fc.record({
  seed: fc.nat(),
  settings,
  hasLanes: fc.boolean(),
  events: fc.array(fc.tuple(fc.constantFrom(0, 0, 1, 4, 15, 60, 300), event), { maxLength: 80, size: 'max' }),
})
