import { describe, expect, test } from 'vitest'
import { DEFAULT_POOL_SETTINGS, type PoolEvent } from '../pool/index.ts'
import { MAX_DISCOVERED } from '../settings/index.ts'
import type { PoolguardOptions } from './options/poolguard-options.ts'
import { PoolGuard } from './pool-guard.ts'
import { type AnsweringConnection, AnsweringDriver, type Answers, honestAnswers } from './testing/answering-driver.ts'

const CALLERS = 300

/** Values that no server or pooler reports. */
const HOSTILE: readonly unknown[] = [
  undefined,
  null,
  'NaN',
  '',
  'many',
  '1e9',
  '0x7fffffff',
  -1,
  -2_147_483_648,
  1.5,
  4_294_967_296,
  1e308,
  '99999999999999999999999',
  true,
  [],
  [100],
  { max: 100 },
]

interface Outcome {
  readonly max: number
  readonly mostOpen: number
  readonly served: number
  readonly warnings: readonly string[]
}

/** Serves many concurrent callers, and repeats discovery between two rounds. */
async function serve(options: PoolguardOptions, answers: Answers, mode?: string): Promise<Outcome> {
  const warnings: string[] = []
  const onEvent = (event: PoolEvent) => {
    if (event.type === 'warning') warnings.push(event.message)
  }
  let driver: AnsweringDriver | undefined
  const guard: PoolGuard<AnsweringConnection> = new PoolGuard(
    { name: 'hostile', target: 'memory', options: { ...options, name: 'hostile', onEvent } },
    async () => (connections) => {
      driver = new AnsweringDriver(guard, connections, answers, mode)
      return driver
    },
  )
  let served = 0
  const call = async () => {
    const lease = await guard.acquire()
    await new Promise(setImmediate)
    lease.release()
    served++
  }
  try {
    for (const again of [false, true]) {
      if (again) await guard.ready({ refresh: again })
      await Promise.all(Array.from({ length: CALLERS }, call))
    }
    return { max: guard.snapshot().stats.max, mostOpen: driver?.mostOpen ?? 0, served, warnings }
  } finally {
    await guard.close(0)
  }
}

function expectBounded({ max, mostOpen, served }: Outcome): void {
  expect(Number.isInteger(max)).toBe(true)
  expect(max).toBeGreaterThanOrEqual(1)
  expect(max).toBeLessThanOrEqual(MAX_DISCOVERED)
  expect(mostOpen).toBeLessThanOrEqual(MAX_DISCOVERED)
  expect(served).toBe(2 * CALLERS)
}

/** Every combination of a column and an invalid value. */
function spoiled(columns: readonly string[], spoil: (answers: Answers, column: string, value: unknown) => void) {
  return columns.flatMap((column) =>
    HOSTILE.map((value) => {
      const answers = honestAnswers()
      spoil(answers, column, value)
      return [column, value, answers] as const
    }),
  )
}

const CAPACITY_COLUMNS = Object.keys(honestAnswers().capacity)
/** Columns in which null means that there is no limit. */
const NULLABLE = ['roleLimit', 'databaseLimit']
const hostileCapacities = spoiled(CAPACITY_COLUMNS, ({ capacity }, column, value) => {
  capacity[column] = value
}).filter(([column, value]) => !(value === null && NULLABLE.includes(column)))

describe('given `instances` and a server that reports invalid limits', () => {
  test.each(hostileCapacities)(
    'as %s = %j, then the pool has its static size and warns once',
    async (column, value, answers) => {
      const outcome = await serve({ instances: 2 }, answers)

      expectBounded(outcome)
      expect(outcome.max).toBe(1)
      expect(outcome.warnings).toEqual([expect.stringContaining(`"${column}"`)])
      expect(outcome.warnings[0]).toContain('set pool.max')
      if (typeof value === 'string' && value !== '') expect(outcome.warnings[0]).not.toContain(value)
    },
  )
})

describe('given a fleet and a server that reports invalid limits', () => {
  test.each(hostileCapacities)(
    'as %s = %j, then the instance keeps its static size and warns once',
    async (column, _value, answers) => {
      const outcome = await serve({ fleet: { app: 'orders' } }, answers)

      expectBounded(outcome)
      expect(outcome.warnings).toEqual([expect.stringContaining(`"${column}"`)])
    },
  )
})

test.each(HOSTILE.map((value) => [value]))(
  'given a fleet and a server that reports %j parallel workers, then the instance keeps its static size and warns once',
  async (value) => {
    const outcome = await serve({ fleet: { app: 'orders' } }, { ...honestAnswers(), parallelWorkers: value })

    expectBounded(outcome)
    expect(outcome.warnings).toEqual([expect.stringContaining('"parallelWorkers"')])
  },
)

describe('given a fleet and a server that reports invalid sessions', () => {
  const columns = Object.keys(honestAnswers().rows[0] ?? {}).filter((column) => column !== 'name' && column !== 'role')
  const cases = spoiled(columns, ({ rows }, column, value) => {
    rows.push({ ...rows[0], [column]: value })
  })
    .filter(([column, value]) => !(column !== 'count' && value === true))
    .filter(
      ([column, value]) => !(column === 'groups' && (value === null || (Array.isArray(value) && value.length === 0))),
    )

  test.each(cases)(
    'as %s = %j, then the instance keeps its static size and warns once',
    async (column, _value, answers) => {
      const outcome = await serve({ fleet: { app: 'orders' } }, answers)

      expectBounded(outcome)
      expect(outcome.warnings).toEqual([expect.stringContaining(`"${column}"`)])
    },
  )
})

describe('given a fleet behind a PgBouncer that reports invalid figures', () => {
  const inConfig = spoiled(
    ['max_client_conn', 'max_user_connections', 'max_user_client_connections', 'pool_mode'],
    ({ config }, column, value) => {
      Object.assign(config.find(({ key }) => key === column) as object, { value })
    },
  )
  const inDatabases = spoiled(
    ['pool_size', 'reserve_pool_size', 'max_connections', 'max_client_connections', 'min_pool_size', 'port'],
    ({ databases }, column, value) => {
      Object.assign(databases[0] as object, { [column]: value })
    },
  )
  test.each([...inConfig, ...inDatabases])(
    'as %s = %j, then the pool has its static size and warns once',
    async (_column, _value, answers) => {
      const outcome = await serve({ fleet: { app: 'orders' } }, answers, 'transaction')

      expectBounded(outcome)
      expect(outcome.max).toBe(DEFAULT_POOL_SETTINGS.max)
      expect(outcome.warnings).toHaveLength(1)
      expect(outcome.warnings[0]).toContain('is invalid')
    },
  )

  test.each<[what: string, spoil: (answers: Answers) => void]>([
    ['a setting twice', ({ config }) => config.push(...config)],
    ['a database twice', ({ databases }) => databases.push(...databases)],
    ['a database without pool_size', ({ databases }) => delete (databases[0] as Record<string, unknown>).pool_size],
    [
      'settings without values',
      ({ config }) => {
        for (const row of config) delete (row as Record<string, unknown>).value
      },
    ],
    ['clients without a database', (answers) => (answers.clients = () => [{ application_name: 'x' }])],
    ['clients that are not rows', (answers) => (answers.clients = () => [null as never])],
  ])('as %s, then the pool has its static size and warns once', async (_what, spoil) => {
    const answers = honestAnswers()
    spoil(answers)
    const outcome = await serve({ fleet: { app: 'orders' } }, answers, 'transaction')

    expectBounded(outcome)
    expect(outcome.max).toBe(DEFAULT_POOL_SETTINGS.max)
    expect(outcome.warnings).toEqual([expect.stringContaining('is invalid')])
  })

  test('as columns in another order, more columns and thousands of rows, then the pool joins the fleet', async () => {
    const answers = honestAnswers()
    const { clients } = answers
    const others = Array.from({ length: 5_000 }, (_, n) => ({ application_name: `c${n}`, user: 'x', database: 'y' }))
    answers.config = answers.config.map((row) => ({ extra: 'x', ...Object.fromEntries(Object.entries(row).reverse()) }))
    answers.databases = answers.databases.map((row) => Object.fromEntries(Object.entries(row).reverse()))
    answers.clients = (name) => [...others, ...clients(name)]
    const outcome = await serve({ fleet: { app: 'orders' } }, answers, 'transaction')

    expectBounded(outcome)
    expect(outcome.warnings).not.toContainEqual(expect.stringContaining('is invalid'))
  })
})

describe('given a server or a pooler that reports extremely high limits', () => {
  test.each<[what: string, options: PoolguardOptions, spoil: (answers: Answers) => void, mode?: string]>([
    ['to `instances`', { instances: 1 }, ({ capacity }) => Object.assign(capacity, { maxConnections: 262_143 })],
    [
      'to a fleet',
      { fleet: { app: 'orders' } },
      ({ capacity }) => Object.assign(capacity, { maxConnections: 262_143 }),
    ],
    [
      'to a fleet behind PgBouncer',
      { fleet: { app: 'orders' } },
      ({ config, databases }) => {
        Object.assign(config[0] as object, { value: '2147483647' })
        Object.assign(databases[0] as object, { pool_size: '2147483647' })
      },
      'transaction',
    ],
  ])('%s, then the pool opens no more than its ceiling', async (_what, options, spoil, mode) => {
    const answers = honestAnswers()
    spoil(answers)

    expectBounded(await serve(options, answers, mode))
  })

  test('then pool.max may exceed the ceiling, because the user has set it', async () => {
    const answers = honestAnswers()
    Object.assign(answers.capacity, { maxConnections: 1_000 })
    const { max } = await serve({ instances: 1, pool: { max: 250 } }, answers)

    expect(max).toBe(250)
  })
})

test('given correct answers, then applies the plan without a warning', async () => {
  const outcome = await serve({ instances: 2 }, honestAnswers())

  expect(outcome).toMatchObject({ max: 43, warnings: [] })
})
