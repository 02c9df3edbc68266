import { afterAll, expect, test, vi } from 'vitest'
import { DEFAULT_POOL_SETTINGS, Pool } from '../../pool/index.ts'
import { ownSettings } from '../../settings/index.ts'
import type { Topology } from '../../topology/index.ts'
import type { GuardedDriver } from '../guarded-driver.ts'
import { PoolBounds } from '../pool-bounds.ts'
import { FleetInstance } from './fleet-instance.ts'

// Loads the modules with the mock even if another test file of this process has loaded them before, and the other way round.
vi.hoisted(() => vi.resetModules())
afterAll(() => {
  vi.resetModules()
})

const load = vi.hoisted(() => ({ fails: true, joined: 0 }))

vi.mock('./fleet-membership.ts', async () => {
  if (load.fails) throw new Error('no such file')
  return {
    FleetMembership: class {
      async join() {
        load.joined++
      }
      leave() {}
    },
  }
})

const DIRECT: Topology = { kind: 'direct', server: { version: null }, preparedStatements: 'safe', evidence: [] }
const DRIVER = {} as GuardedDriver<object>

function givenInstance() {
  const warnings: string[] = []
  const warn = (message: string) => {
    warnings.push(message)
  }
  const fleet = { app: 'orders' }
  const own = ownSettings({ fleet, pool: { max: 7 } })
  const engine = new Pool<object>({
    name: 'orders',
    settings: { ...DEFAULT_POOL_SETTINGS, max: 1 },
    factory: { open: async () => ({}), close: async () => {} },
    classify: () => 'unavailable',
  })
  const bounds = new PoolBounds(own, engine, warn)
  const demand = () => engine.demand
  const onUnavailable = vi.fn()
  const instance = new FleetInstance({
    fleet,
    headroom: undefined,
    engine,
    demand,
    bounds,
    onUnavailable,
    warn,
  })
  return { instance, engine, bounds, warnings, onUnavailable }
}

test('given the files of a membership cannot be loaded, then the static limit applies and the warning says why', async () => {
  load.fails = true
  const { instance, engine, bounds, warnings, onUnavailable } = givenInstance()
  instance.reserveConnection()
  await instance.join(DIRECT, DRIVER)

  expect(engine.settings.max).toBe(7)
  expect(warnings).toEqual([
    expect.stringMatching(/fleet "orders" does not share connections: .*cannot load its files/),
  ])
  expect(bounds.settings.reasons.max).toContain('cannot load its files')
  expect(onUnavailable).toHaveBeenCalledOnce()
  // The reserved connection is available to callers.
  const lease = await engine.acquire()
  lease.release()
})

test('given the pool is closed while the membership is loaded, then it does not join', async () => {
  load.fails = false
  vi.resetModules()
  const { instance } = givenInstance()
  const joining = instance.join(DIRECT, DRIVER)
  instance.leave()
  await joining
  expect(load.joined).toBe(0)

  await instance.join(DIRECT, DRIVER)
  expect(load.joined).toBe(1)
})
