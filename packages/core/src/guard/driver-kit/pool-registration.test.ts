import { afterEach, describe, expect, test, vi } from 'vitest'
import { listPools } from '../../observe/index.ts'
import { DEFAULT_POOL_SETTINGS, Pool, type PoolEvent } from '../../pool/index.ts'
import { PoolRegistration } from './pool-registration.ts'

afterEach(() => vi.restoreAllMocks())

function registrationOf(hasListener: boolean) {
  const engine = new Pool({
    name: 'orders',
    settings: DEFAULT_POOL_SETTINGS,
    factory: { open: async () => ({}), close: async () => {} },
    classify: () => 'unavailable',
  })
  const pool = {
    snapshot: () => ({
      ...{ name: 'orders', target: '', stats: engine.stats(), dirtyReleases: 0, sessionStateFindings: 0 },
      ...{ topology: null, preparing: null, budget: null, fleet: null },
    }),
  }
  const events: PoolEvent[] = []
  const registration = new PoolRegistration(pool, { name: 'orders', emit: (event) => events.push(event), hasListener })
  return { pool, registration, events }
}

describe('the registration of a pool', () => {
  test('registers once, on first use, and not again after the pool has closed', () => {
    const { pool, registration } = registrationOf(false)
    expect(listPools()).not.toContain(pool)

    registration.enter()
    registration.enter()
    expect(listPools().filter((each) => each === pool)).toHaveLength(1)

    registration.leave()
    registration.enter()
    expect(listPools()).not.toContain(pool)
    expect(registration.isEntered).toBe(true)
  })

  test.each([
    ['with a listener, emits only the event', true, []],
    [
      'without a listener, emits a process warning with the name of the pool',
      false,
      [['pool "orders": it is late', 'PoolguardWarning']],
    ],
  ])('%s', (_case, hasListener, warnings) => {
    const emitWarning = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const { registration, events } = registrationOf(hasListener)

    registration.warn('it is late')

    expect(events).toEqual([{ type: 'warning', message: 'it is late' }])
    expect(emitWarning.mock.calls).toEqual(warnings)
  })
})
