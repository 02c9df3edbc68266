import { classifyConnectFailure } from '../../postgres-errors/index.ts'
import { Pool } from '../pool.ts'
import type { PoolEvent } from '../pool-events.ts'
import type { PoolOptions } from '../pool-options.ts'
import { DEFAULT_POOL_SETTINGS, type PoolSettings } from '../pool-settings.ts'
import { FakeFactory, type FakeResource } from './fake-factory.ts'
import { ManualClock } from './manual-clock.ts'

/** A pool of fake resources on a manual clock, and its events. */
export interface PoolUnderTest {
  readonly pool: Pool<FakeResource>
  readonly factory: FakeFactory
  readonly clock: ManualClock
  readonly events: PoolEvent[]
}

/** By default `random` returns 0: no jitter in lifetimes, and pauses of 0 ms. */
export function givenPool(
  settings: Partial<PoolSettings> = {},
  {
    factory = new FakeFactory(),
    random = () => 0,
    ...options
  }: Partial<PoolOptions<FakeResource>> & { factory?: FakeFactory } = {},
): PoolUnderTest {
  const clock = new ManualClock()
  const events: PoolEvent[] = []
  const pool = new Pool<FakeResource>({
    name: 'app',
    settings: { ...DEFAULT_POOL_SETTINGS, ...settings },
    factory,
    clock,
    random,
    classify: classifyConnectFailure,
    onEvent: (event) => events.push(event),
    ...options,
  })
  pool.start()
  return { pool, factory, clock, events }
}
