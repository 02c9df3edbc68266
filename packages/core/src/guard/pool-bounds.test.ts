import { expect, test, vi } from 'vitest'
import { DEFAULT_POOL_SETTINGS } from '../pool/index.ts'
import { ownSettings } from '../settings/index.ts'
import { PoolBounds } from './pool-bounds.ts'

function givenBounds(limit: 'max' | 'cores') {
  const resize = vi.fn()
  const own = ownSettings({ fleet: { app: 'orders' }, pool: { limit, serverCores: 4 } })
  return { resize, bounds: new PoolBounds(own, { settings: DEFAULT_POOL_SETTINGS, resize }, () => {}) }
}

const room = { maxConnections: 20, entitlement: 20, free: 50, sharedConnections: 87, contended: false }

test.each([
  ['max', 20],
  ['cores', 4],
] as const)("with limit '%s', two instances of a fleet open up to %i connections each", (limit, max) => {
  const { bounds, resize } = givenBounds(limit)
  bounds.applyShare(20, { ...room, instances: 2, steps: ['20 now'] })

  expect(resize).toHaveBeenLastCalledWith({ max, min: 0 })
  expect(bounds.settings.values.max).toBe(max)
})
