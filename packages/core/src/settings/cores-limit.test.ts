import { expect, test } from 'vitest'
import type { Capacity } from '../budget/index.ts'
import type { FleetShare } from '../fleet/index.ts'
import { InvalidOptionError } from '../invalid-option-error.ts'
import type { PoolSettings } from '../pool/index.ts'
import type { Topology } from '../topology/index.ts'
import type { SettingsOptions } from './options.ts'
import { planInstances } from './planned-budget.ts'
import { type KnownLimits, resolveSettings } from './resolve.ts'

const capacity: Capacity = {
  ...{ maxConnections: 100, reserved: 3, roleLimit: null, databaseLimit: null },
  ...{ used: 0, usedByRole: 0, usedByDatabase: 0 },
}
const topology: Topology = { kind: 'direct', preparedStatements: 'safe', server: { version: null }, evidence: [] }

function maxOf(pool: Partial<PoolSettings>, options: SettingsOptions = {}, known: KnownLimits = {}) {
  const { values, reasons } = resolveSettings({ options: { ...options, pool: { limit: 'cores', ...pool } }, ...known })
  return { max: values.max, min: values.min, reason: reasons.max }
}

function share(instances: number, maxConnections: number): FleetShare {
  const room = { entitlement: maxConnections, free: 50, sharedConnections: 87, contended: false }
  return { ...room, maxConnections, instances, steps: ['87 to share'] }
}

test('one pool gets 2 x cores + 1, instead of the default max', () => {
  expect(maxOf({ serverCores: 8 })).toMatchObject({ max: 17, reason: "limit 'cores': 2 x 8 cores + 1 = 17" })
})

test('without the number of cores, four are assumed, and the reason says so', () => {
  const { max, reason } = maxOf({})

  expect(max).toBe(9)
  expect(reason).toBe("limit 'cores': 2 x 4 cores (assumed; set pool.serverCores) + 1 = 9")
})

test('a given max and a preset remain upper bounds', () => {
  expect(maxOf({ serverCores: 8, max: 5 })).toMatchObject({ max: 5, reason: 'given' })
  expect(maxOf({ serverCores: 8 }, { preset: 'serverless' }).max).toBe(2)
  expect(maxOf({ serverCores: 2, max: 40 })).toMatchObject({
    max: 5,
    reason: "limit 'cores': 2 x 2 cores + 1 = 5; without it 40 (given)",
  })
})

test('a pool without pool.max gets at most 100', () => {
  expect(maxOf({ serverCores: 192 }).max).toBe(100)
})

test('min is lowered with max', () => {
  expect(maxOf({ serverCores: 1, max: 20, min: 8 })).toMatchObject({ max: 3, min: 3 })
})

test('instances divide it, each gets at least one, and never more than the plan', () => {
  const planned = (serverCores: number, instances: number) =>
    maxOf({ serverCores }, { instances }, { topology, planned: planInstances({ instances }, capacity) })

  expect(planned(8, 4).max).toBe(4)
  expect(planned(8, 40).max).toBe(1)
  expect(planned(64, 20).max).toBe(4)
  expect(planned(8, 4).reason).toContain('/ 4 instances = 4; without it')
})

test('instances divide it before the pool has connected, too, and behind a pooler in transaction mode', () => {
  const pooler = { name: 'PgBouncer', mode: 'transaction', proven: true } as const
  const pooled: Topology = { ...topology, kind: 'pooler', pooler }

  expect(maxOf({ serverCores: 8 }, { instances: 4 }).max).toBe(1)
  expect(maxOf({ serverCores: 8 }, { instances: 4 }, { topology: pooled }).max).toBe(4)
})

test('the instances of a fleet divide it, and the share remains an upper bound', () => {
  const fleet = { app: 'orders' }

  expect(maxOf({ serverCores: 8 }, { fleet }, { topology, share: share(8, 30) }).max).toBe(2)
  expect(maxOf({ serverCores: 8 }, { fleet }, { topology, share: share(2, 3) }).max).toBe(3)
  expect(maxOf({ serverCores: 8 }, { fleet }, { topology }).max).toBe(1)
})

test('a fleet whose instances cannot see each other keeps its static limit, up to 2 x cores + 1', () => {
  const known = { topology, fleetUnavailable: 'the role may not see other sessions' }

  expect(maxOf({ serverCores: 2 }, { fleet: { app: 'orders' } }, known).max).toBe(5)
})

test.each([
  ['pool.limit', { limit: 'core' as never }],
  ['pool.serverCores', { serverCores: 0 }],
  ['pool.serverCores', { serverCores: Infinity }],
])('an invalid %s is rejected', (name, pool) => {
  expect(() => resolveSettings({ options: { pool } })).toThrow(InvalidOptionError)
  expect(() => resolveSettings({ options: { pool } })).toThrow(name)
})

test.each([{ fleet: { app: 'orders' } }, { instances: 2 }])(
  'an adaptive limit is refused together with %o',
  (options) => {
    const pool = { limit: 'adaptive' as const }
    expect(() => resolveSettings({ options: { ...options, pool } })).toThrow(/pool\.limit.*would take from the others/)
    expect(() => resolveSettings({ options: { instances: 1, pool } })).not.toThrow()
  },
)

test('fleet.adaptive sets the adaptive limit, which pool.limit may repeat', () => {
  const options: SettingsOptions = { fleet: { app: 'orders', adaptive: true } }

  const { values, reasons } = resolveSettings({ options })
  expect([values.limit, reasons.limit]).toEqual(['adaptive', 'fleet.adaptive'])
  expect(() => resolveSettings({ options: { ...options, pool: { limit: 'adaptive' } } })).not.toThrow()
})
