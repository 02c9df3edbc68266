import { expect, test } from 'vitest'
import { poolConfigs } from './pool-configs.ts'
import type { PostgresOptions } from './postgres-options.ts'

function replicated(slaves: readonly string[], options: Partial<PostgresOptions> = {}): PostgresOptions {
  const replication = { master: { url: 'postgresql://db/orders' }, slaves: slaves.map((url) => ({ url })) }
  return { type: 'postgres', replication, ...options }
}

const same = 'postgresql://db:5432/orders'
const other = 'postgresql://replica/orders'

test.each([
  ['no options', {}, {}, [5, 5]],
  ['poolSize', { poolSize: 7 }, {}, [4, 3]],
  ['extra.max', { poolSize: 7, extra: { max: 4 } }, {}, [2, 2]],
  ['pool.max', { poolSize: 7, extra: { max: 4 } }, { pool: { max: 9 } }, [5, 4]],
  ['the serverless preset', {}, { preset: 'serverless' as const }, [1, 1]],
  ['instances', {}, { instances: 3 }, [undefined, undefined]],
  ['a fleet', {}, { fleet: { app: 'orders' } }, [undefined, undefined]],
  ['a fleet and pool.max', {}, { fleet: { app: 'orders' }, pool: { max: 6 } }, [3, 3]],
  ['instances and pool.max', {}, { instances: 3, pool: { max: 6 } }, [3, 3]],
])('given %s and a replica on the same server, then max is divided', (_what, options, guard, maxima) => {
  const { configs } = poolConfigs(replicated([same], options), guard)
  expect(configs.map(({ pool }) => pool?.max)).toEqual(maxima)
})

test('given a replica on the same server, then min and the limit in the URL are divided', () => {
  const slaves = [`${same}?connection_limit=8&min=3`]
  const { configs } = poolConfigs(replicated(slaves), { instances: 2 })
  expect(configs[1]).toMatchObject({ instances: 4, pool: { max: 4, min: 1 } })
  expect(configs[0]).toMatchObject({ instances: 4, pool: {} })
})

test('given replicas on separate servers, then max is not divided', () => {
  const { configs, warnings } = poolConfigs(replicated([other, other], { poolSize: 5 }), { instances: 2 })
  expect(configs[0]).toMatchObject({ name: 'orders', max: 5, instances: 2 })
  expect(configs[0]).not.toHaveProperty('pool')
  expect(configs[1]).toMatchObject({ name: 'orders-replica-1', instances: 4, pool: { max: 3 } })
  expect(configs[2]).toMatchObject({ name: 'orders-replica-2', instances: 4, pool: { max: 2 } })
  expect(warnings).toEqual([])
})

test('given different names of loopback, then they count as one server', () => {
  const slaves = ['postgresql://127.0.0.1/orders', 'postgresql://[::1]/orders', 'postgresql:///orders?host=localhost']
  const { configs } = poolConfigs(replicated(slaves, { poolSize: 6 }), {})
  expect(configs.map(({ pool }) => pool?.max)).toEqual([undefined, 2, 2, 2])
})

test.each([
  ['poolSize', { poolSize: 8 }, {}],
  ['extra.max', { extra: { max: 8 } }, {}],
  ['pool.max', {}, { pool: { max: 8 } }],
])(
  'given %s and a limit in the URL of a replica, then the smaller one applies to the replica',
  (_what, options, guard) => {
    const limited = (url: string, limit: number) => {
      const { configs } = poolConfigs(replicated([`${url}?connection_limit=${limit}`], options), guard)
      return configs.map(({ pool, max }) => pool?.max ?? max)
    }
    expect(limited(other, 2)).toEqual([8, 2])
    expect(limited(other, 20)).toEqual([8, 8])
    expect(limited(same, 2)).toEqual([4, 1])
  },
)

test("given a limit in the master's URL, then it limits the master's pool", () => {
  const replication = { master: { url: `${same}?connection_limit=2` }, slaves: [{ url: other }] }
  const { configs } = poolConfigs({ type: 'postgres', replication, poolSize: 8 }, {})
  expect(configs.map(({ pool, max }) => pool?.max ?? max)).toEqual([2, 8])
})

test('given no replication, then the options are passed on without an added name', () => {
  const { configs } = poolConfigs(
    { type: 'postgres', url: same, poolSize: 3 },
    { sessionState: 'off', detectDeadlocks: true },
  )
  expect(configs).toEqual([{ connectionString: same, max: 3, sessionState: 'off' }])
})
