import { describe, expect, test } from 'vitest'
import type { Capacity } from '../budget/index.ts'
import type { Reading } from '../drivers/index.ts'
import { InvalidOptionError } from '../invalid-option-error.ts'
import { DEFAULT_POOL_SETTINGS } from '../pool/index.ts'
import type { PoolMode, Topology } from '../topology/index.ts'
import { assumedTopology } from './assumed-topology.ts'
import type { FleetOptions, SettingsOptions } from './options.ts'
import { planInstances } from './planned-budget.ts'
import { type KnownLimits, resolveSettings } from './resolve.ts'
import { poolSettings } from './settings-from-url.ts'

const capacity: Capacity = {
  maxConnections: 20,
  reserved: 3,
  roleLimit: null,
  databaseLimit: null,
  used: 0,
  usedByRole: 0,
  usedByDatabase: 0,
}
const arithmetic =
  'max_connections 20 - 3 reserved = 17; 17 usable - 3 headroom = 14 to share; 14 / 6 instances = 2 each'
const direct: Topology = { kind: 'direct', preparedStatements: 'safe', server: { version: null }, evidence: [] }

function pooler(mode: PoolMode, proven = true): Topology {
  return {
    kind: 'pooler',
    pooler: { name: 'unknown', mode, proven },
    preparedStatements: 'safe',
    server: { version: null },
    evidence: [],
  }
}

/** As a pool resolves its settings once it has discovered the capacity. */
function resolve({ options, capacity: found, ...limits }: Input) {
  return resolveSettings({ options, ...limits, planned: planInstances(options, found) })
}

interface Input extends KnownLimits {
  readonly options: SettingsOptions
  readonly capacity?: Capacity
}

describe('without options', () => {
  test('the defaults apply, with that reason', () => {
    const { values: settings, reasons, budget, warnings } = resolve({ options: {} })

    expect(settings).toEqual(DEFAULT_POOL_SETTINGS)
    expect(new Set(Object.values(reasons))).toEqual(new Set(['default']))
    expect(Object.keys(reasons)).toEqual(Object.keys(settings))
    expect({ budget, warnings }).toEqual({ budget: null, warnings: [] })
  })

  test('a capacity changes nothing, because the number of instances is unknown', () => {
    expect(resolve({ options: {}, capacity, topology: direct }).values.max).toBe(10)
  })
})

describe('a given value', () => {
  test('applies, with that reason', () => {
    const { values: settings, reasons } = resolve({
      options: { pool: { max: 4, min: 2, acquireTimeoutMillis: 1, maxUses: Infinity, idleTimeoutMillis: Infinity } },
    })

    expect(settings).toEqual({
      ...DEFAULT_POOL_SETTINGS,
      max: 4,
      min: 2,
      acquireTimeoutMillis: 1,
      idleTimeoutMillis: Infinity,
    })
    expect(reasons).toMatchObject({ max: 'given', min: 'given', acquireTimeoutMillis: 'given', drainMillis: 'default' })
  })

  test('as undefined counts as not given', () => {
    const { values: settings, reasons } = resolve({
      options: { pool: { max: undefined, min: undefined } as never },
    })

    expect(settings).toEqual(DEFAULT_POOL_SETTINGS)
    expect(reasons.max).toBe('default')
  })

  test('as min above the default max is lowered, with that reason', () => {
    const { values: settings, reasons } = resolve({ options: { pool: { min: 12 } } })

    expect(settings).toMatchObject({ min: 10, max: 10 })
    expect(reasons.min).toBe('given as 12, lowered to max')
  })
})

describe('the preset serverless', () => {
  test('has other defaults, with that reason; given values take precedence', () => {
    const { values: settings, reasons } = resolve({
      options: { preset: 'serverless', pool: { idleTimeoutMillis: 1 } },
    })

    expect(settings).toMatchObject({ max: 2, acquireTimeoutMillis: 5_000, idleTimeoutMillis: 1, drainMillis: 10_000 })
    expect(reasons).toMatchObject({ max: 'preset serverless', idleTimeoutMillis: 'given', drainMillis: 'default' })
  })

  test('and a max that the plan may lower, not raise', () => {
    const options = { preset: 'serverless', instances: 3 } as const

    expect(resolve({ options, capacity }).reasons.max).toMatch(/^preset serverless, within the plan \(/)
    expect(resolve({ options: { ...options, instances: 14 }, capacity }).values.max).toBe(1)
  })
})

describe('instances', () => {
  test('given no discovery yet, then max is 1', () => {
    const { values: settings, reasons, budget } = resolve({ options: { instances: 6, pool: { max: 8, min: 4 } } })

    expect(settings).toMatchObject({ max: 1, min: 1 })
    expect(reasons.max).toBe('1 of 6 instances, until the pool has connected to the database')
    expect(reasons.min).toBe('given as 4, lowered to max')
    expect(budget).toBeNull()
  })

  test('given a capacity, then max is planned, with the calculation as its reason', () => {
    const { values: settings, reasons, budget } = resolve({ options: { instances: 6 }, capacity, topology: direct })

    expect(settings.max).toBe(2)
    expect(reasons.max).toBe(`planned: ${arithmetic}`)
    expect(budget).toMatchObject({ maxPerInstance: 2, instances: 6, headroom: 3 })
  })

  test('given a max above the plan, then the plan applies', () => {
    const { values: settings, reasons } = resolve({
      options: { instances: 6, pool: { max: 9, min: 3 } },
      capacity,
    })

    expect(settings).toMatchObject({ max: 2, min: 2 })
    expect(reasons.max).toBe(`planned: ${arithmetic}`)
    expect(reasons.min).toBe('given as 3, lowered to max')
  })

  test.each([1, 2])('given a max of %i, within the plan, then that is the ceiling', (max) => {
    const { values: settings, reasons } = resolve({ options: { instances: 6, pool: { max } }, capacity })

    expect(settings.max).toBe(max)
    expect(reasons.max).toBe(`given, within the plan (${arithmetic})`)
  })

  test('given a headroom, then the plan keeps it', () => {
    expect(resolve({ options: { instances: 6, headroom: 0 }, capacity }).values.max).toBe(2)
    expect(resolve({ options: { instances: 6, headroom: 11 }, capacity }).values.max).toBe(1)
  })

  test('given a plan that does not fit, then max is 1 and the refusal is a warning', () => {
    const { values: settings, reasons, budget, warnings } = resolve({ options: { instances: 60 }, capacity })

    expect(settings.max).toBe(1)
    expect(reasons.max).toBe('the minimum, because the plan does not fit')
    expect(budget).toBeNull()
    expect(warnings).toEqual([expect.stringContaining('60 instances cannot share 14 connections')])
  })

  test.each(['transaction', 'statement'] as const)('given a pooler in %s mode, then they do not divide', (mode) => {
    const input = { topology: pooler(mode), capacity }
    const byDefault = resolve({ options: { instances: 6 }, ...input })
    const byHand = resolve({ options: { instances: 6, pool: { max: 20 } }, ...input })

    expect(byDefault.values.max).toBe(10)
    expect(byDefault.reasons.max).toMatch(/^default; the pooler limits the server's connections/)
    expect(byHand.values.max).toBe(20)
    expect(byHand.reasons.max).toMatch(/^given; the pooler limits the server's connections/)
  })

  test.each([true, false])(
    'given a pooler in session mode (proven: %s), then they divide, because it does not multiplex',
    (proven) => {
      const { values: settings } = resolve({
        options: { instances: 6 },
        topology: pooler('session', proven),
        capacity,
      })

      expect(settings.max).toBe(2)
    },
  )

  test('given a role that cannot read the capacity, then max is 1, and the warning says what to grant', () => {
    const { values, reasons, warnings } = resolve({ options: { instances: 6 }, topology: direct })

    expect(values.max).toBe(1)
    expect(reasons.max).toBe('1 of 6 instances: the role cannot read the limits of the database')
    expect(warnings).toEqual([
      '1 of 6 instances: the role cannot read the limits of the database (grant it SELECT on pg_roles, pg_database and pg_stat_activity). Or set pool.max and remove instances.',
    ])
  })

  test('given a capacity that cannot be, then max is 1, and the warning says why', () => {
    const capacityProblem = 'the answer has no column reserved'
    const { values, warnings } = resolve({ options: { instances: 6 }, topology: direct, capacityProblem })

    expect(values.max).toBe(1)
    expect(warnings).toEqual([
      '1 of 6 instances: the answer has no column reserved. Check which server answers at this address, or set pool.max and remove instances.',
    ])
  })

  test('given a large server, then a pool without pool.max opens at most 100 connections, or its min', () => {
    const large = { capacity: { ...capacity, maxConnections: 1_000 }, topology: direct }
    const { values, reasons } = resolve({ options: { instances: 1 }, ...large })
    expect(values.max).toBe(100)
    expect(reasons.max).toMatch(/^100, the limit of a pool without pool\.max; planned: max_connections 1000 /)
    expect(resolve({ options: { instances: 1, pool: { min: 150 } }, ...large }).values.max).toBe(150)
    expect(resolve({ options: { instances: 1, pool: { max: 300 } }, ...large }).values.max).toBe(300)
    const exact = { capacity: { ...capacity, maxConnections: 103 }, topology: direct }
    expect(resolve({ options: { instances: 1, headroom: 0 }, ...exact }).reasons.max).toMatch(/^planned: /)
  })

  test('given no capacity, then they divide', () => {
    const topology: Topology = {
      kind: 'unknown',
      preparedStatements: 'unknown',
      server: { version: null },
      evidence: [],
    }

    expect(resolve({ options: { instances: 6 }, topology, capacity }).values.max).toBe(2)
  })
})

describe('pipelining', () => {
  const options: SettingsOptions = { pool: { pipeline: 'reads' } }

  function pipelineOf(limits: Parameters<typeof resolveSettings>[0]) {
    const { values, reasons } = resolveSettings(limits)
    return [values.pipeline, reasons.pipeline]
  }

  test('waits until the pool has detected its server', () => {
    expect(pipelineOf({ options })).toEqual(['off', "given as 'reads', once the pool has detected the server"])
    expect(pipelineOf({ options, topology: direct })).toEqual(['reads', 'given'])
  })

  test('stays off where the driver or the pooler does not support it, with the reason', () => {
    expect(pipelineOf({ options, topology: direct, pipelineUnsupported: 'this driver sends no batches' })).toEqual([
      'off',
      "given as 'reads', but this driver sends no batches",
    ])
    expect(pipelineOf({ options, topology: pooler('transaction') })).toEqual([
      'off',
      expect.stringMatching(/^given as 'reads', but the server of this pool is .* not known to be PgBouncer$/),
    ])
  })

  test('that is not wanted is off without a further reason', () => {
    expect(pipelineOf({ options: {}, pipelineUnsupported: 'this driver sends no batches' })).toEqual(['off', 'default'])
  })
})

describe('a pooler that the options name', () => {
  const found = { topology: direct, capacity }

  test('takes precedence over what the pool detects: in transaction mode, instances do not divide', () => {
    expect(resolve({ options: { instances: 6, pooler: 'transaction' }, ...found }).values.max).toBe(10)
    expect(resolve({ options: { instances: 6, pooler: 'session' }, ...found }).values.max).toBe(2)
    const behind = { topology: pooler('transaction'), capacity }
    expect(resolve({ options: { instances: 6, pooler: 'none' }, ...behind }).values.max).toBe(2)
    expect(resolve({ options: { instances: 6, pooler: 'auto' }, ...behind }).values.max).toBe(10)
  })

  test.each<[given: NonNullable<SettingsOptions['pooler']>, topology: Topology | undefined]>([
    ['auto', undefined],
    [
      'none',
      { kind: 'direct', preparedStatements: 'safe', server: { version: null }, evidence: ["given as pooler: 'none'"] },
    ],
    ['session', { ...pooler('session'), evidence: ["given as pooler: 'session'"] }],
    [
      'transaction',
      { ...pooler('transaction'), preparedStatements: 'unknown', evidence: ["given as pooler: 'transaction'"] },
    ],
  ])("as %s: prepared statements are safe only where a session is the client's own", (given, topology) => {
    expect(assumedTopology({ pooler: given })).toEqual(topology)
  })
})

test('the settings of a URL are those of the pool that it names, and no others', () => {
  const settings = {
    max: 4,
    min: 1,
    acquireTimeoutMillis: 2_000,
    connectTimeoutMillis: 3_000,
    idleTimeoutMillis: 4_000,
    maxLifetimeMillis: undefined,
    statementTimeoutMillis: 5_000,
  }
  expect(poolSettings({ settings } as unknown as Reading)).toEqual({
    max: 4,
    min: 1,
    acquireTimeoutMillis: 2_000,
    connectTimeoutMillis: 3_000,
    idleTimeoutMillis: 4_000,
  })
})

describe('a fleet', () => {
  const fleet = { app: 'orders' }
  const share = {
    maxConnections: 8,
    entitlement: 9,
    free: 8,
    instances: 4,
    sharedConnections: 33,
    contended: true,
    steps: ['33 to share', '8 now'],
  }

  test('given no discovery yet, then max is 1', () => {
    const { values: settings, reasons } = resolve({ options: { fleet, pool: { max: 8, min: 4 } } })
    expect(settings).toMatchObject({ max: 1, min: 1 })
    expect(reasons.max).toBe('1 until the pool has joined fleet "orders"')
  })

  test('given a share, then that is max, with the calculation as its reason', () => {
    const { values: settings, reasons, warnings } = resolve({ options: { fleet }, topology: direct, capacity, share })
    expect(settings.max).toBe(8)
    expect(reasons.max).toBe('share of fleet "orders": 33 to share; 8 now')
    expect(warnings).toEqual([])
  })

  test('given a max as well, then the reason names it', () => {
    const { reasons } = resolve({ options: { fleet, pool: { max: 9 } }, topology: direct, capacity, share })
    expect(reasons.max).toBe('share of fleet "orders", at most the 9 given: 33 to share; 8 now')
  })

  test('given more instances than connections, then it warns', () => {
    const { values: settings, warnings } = resolve({
      options: { fleet },
      share: { ...share, maxConnections: 1, instances: 34 },
    })
    expect(settings.max).toBe(1)
    expect(warnings).toEqual([expect.stringContaining('has more instances than there are connections to share')])
  })

  test('given as many instances as connections, then it does not warn', () => {
    expect(resolve({ options: { fleet }, share: { ...share, maxConnections: 1, instances: 33 } }).warnings).toEqual([])
  })

  test('given every valid option, then it is accepted', () => {
    const all = { ...fleet, adaptive: false, intervalMillis: 100, trustedRoles: ['bills'] }
    expect(() => resolve({ options: { fleet: { ...all, consoleUrl: 'postgres://db/pgbouncer' } } })).not.toThrow()
  })

  test('given the other instances cannot be seen, then the given or default max applies, with the reason', () => {
    const fleetUnavailable = 'behind a pooler'
    const given = resolve({
      options: { fleet, pool: { max: 7 } },
      topology: pooler('transaction'),
      fleetUnavailable,
    })
    expect(given.values.max).toBe(7)
    expect(given.reasons.max).toBe('given; behind a pooler, so fleet "orders" does not share connections')
    expect(given.warnings).toEqual([expect.stringContaining('Each instance may open up to 7 (given).')])
    expect(resolve({ options: { fleet }, topology: pooler('transaction'), fleetUnavailable }).values.max).toBe(10)
  })

  test('given an unknown topology, then that is the reason', () => {
    const topology: Topology = {
      kind: 'unknown',
      preparedStatements: 'unknown',
      server: { version: null },
      evidence: [],
    }
    const { values: settings, reasons } = resolve({ options: { fleet }, topology })
    expect([settings.max, reasons.max]).toEqual([10, expect.stringContaining('could not detect the server or pooler')])
  })

  test('given an invalid connection string for the console, then it is rejected', () => {
    const options = { fleet: { ...fleet, consoleUrl: 'http://stats:s3cret@db' } }
    expect(() => resolve({ options })).toThrow(/it starts with/)
    expect(() => resolve({ options })).not.toThrow(/s3cret/)
  })
})

describe('invalid options', () => {
  test.each<[options: SettingsOptions, message: string]>([
    [{ pool: { max: 0 } }, 'Invalid option pool.max: 0. It takes a whole number of at least 1.'],
    [{ pool: { max: 2.5 } }, 'Invalid option pool.max: 2.5. It takes a whole number of at least 1.'],
    [{ pool: { max: Infinity } }, 'Invalid option pool.max: Infinity. It takes a whole number of at least 1.'],
    [{ pool: { max: '10' as never } }, "Invalid option pool.max: '10'. It takes a whole number of at least 1."],
    [{ pool: { min: -1 } }, 'Invalid option pool.min: -1. It takes a whole number of at least 0.'],
    [{ pool: { min: 3, max: 2 } }, 'Invalid option pool.min: 3. It takes no more than pool.max, which is 2.'],
    [{ pool: { maxUses: 0 } }, 'Invalid option pool.maxUses: 0. It takes a whole number of at least 1.'],
    [{ pool: { maxWaiters: -1 } }, 'Invalid option pool.maxWaiters: -1. It takes a whole number of at least 0.'],
    [
      { pool: { acquireTimeoutMillis: -1 } },
      'Invalid option pool.acquireTimeoutMillis: -1. It takes a number of milliseconds, or Infinity.',
    ],
    [
      { pool: { drainMillis: Number.NaN } },
      'Invalid option pool.drainMillis: NaN. It takes a number of milliseconds, or Infinity.',
    ],
    [
      { pool: { idleTimeoutMillis: '30s' as never } },
      "Invalid option pool.idleTimeoutMillis: '30s'. It takes a number of milliseconds, or Infinity.",
    ],
    [{ preset: 'lambda' as never }, "Invalid option preset: 'lambda'. It takes one of 'serverless'."],
    [{ instances: 0 }, 'Invalid option instances: 0. It takes a whole number of at least 1.'],
    [{ fleet: { app: 'orders' }, instances: 2 }, 'Invalid option instances: 2. It takes no value when fleet is set'],
    [{ fleet: { app: 'orders' }, headroom: 0 }, 'Invalid option headroom: 0. It takes a whole number of at least 1'],
    [
      { fleet: { app: 'orders', interval: 3 } as FleetOptions },
      'Invalid option fleet.interval: 3. It takes no value: this option does not exist. The options of fleet are app, adaptive, intervalMillis, consoleUrl, trustedRoles.',
    ],
    ...['bills', [''], [7], [['bills']], { 0: 'bills' }, null].map((trustedRoles): [SettingsOptions, string] => [
      { fleet: { app: 'orders', trustedRoles: trustedRoles as never } },
      'Invalid option fleet.trustedRoles: ',
    ]),
    [
      { fleet: { app: 'orders', trustedRoles: 'bills' as never } },
      "Invalid option fleet.trustedRoles: 'bills'. It takes an array of role names, as in ['bills'].",
    ],
    [{ fleet: { app: 'a b' } }, "Invalid option fleet.app: 'a b'. It takes 1 to 27 letters, digits, '.', '_' and '-'."],
    [
      { fleet: { app: 'orders-of-all-tenants', adaptive: true } },
      "Invalid option fleet.app: 'orders-of-all-tenants'. It takes 1 to 16 letters, digits, '.', '_' and '-'.",
    ],
    [
      { fleet: { app: 'orders', adaptive: 'yes' as never } },
      "Invalid option fleet.adaptive: 'yes'. It takes true or false.",
    ],
    [
      { fleet: { app: 'orders', adaptive: true }, pool: { limit: 8 } },
      'Invalid option pool.limit: 8. It takes no value when fleet.adaptive is set: the fleet finds the limit.',
    ],
    [
      { fleet: { app: 'a', intervalMillis: Infinity } },
      'Invalid option fleet.intervalMillis: Infinity. It takes a finite number.',
    ],
    [
      { fleet: { app: 'a', intervalMillis: 99 } },
      'Invalid option fleet.intervalMillis: 99. It takes a number of milliseconds',
    ],
    [{ fleet: null as never }, "Invalid option fleet: null. It takes an object, as in { app: 'orders' }."],
    [{ lanes: { web: { reserve: -1 } as never } }, 'Invalid option lanes.web.'],
    [
      { fleet: { app: 'a' }, pool: { limit: 'adaptive' } },
      "Invalid option pool.limit: 'adaptive'. It takes 'cores', 'max' or a number with fleet: an adaptive limit",
    ],
    [
      { instances: 2, pool: { limit: 'adaptive' } },
      "Invalid option pool.limit: 'adaptive'. It takes 'cores', 'max' or a number with several instances: an adaptive limit",
    ],
    [
      { fleet: { app: 'a', intervalMillis: 0 } },
      'Invalid option fleet.intervalMillis: 0. It takes a number of milliseconds',
    ],
    [{ fleet: 'orders' as never }, "Invalid option fleet: 'orders'. It takes an object, as in { app: 'orders' }."],
    [{ headroom: -1 }, 'Invalid option headroom: -1. It takes a whole number of at least 0.'],
    [
      { pooler: 'statement' as never },
      "Invalid option pooler: 'statement'. It takes one of 'auto', 'none', 'session', 'transaction'.",
    ],
  ])('%o', (options, message) => {
    expect(() => resolve({ options })).toThrow(InvalidOptionError)
    expect(() => resolve({ options })).toThrow(message)
  })

  test.each(['size', 'password', 'toString'])('an unknown setting: %s', (name) => {
    const options = { pool: { [name]: 's3cret' } as never }

    expect(() => resolve({ options })).toThrow(`pool.${name}`)
    expect(() => resolve({ options })).toThrow(/there is no such setting, only max, min, /)
  })
})
