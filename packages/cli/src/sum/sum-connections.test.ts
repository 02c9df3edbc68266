import { describe, expect, test } from 'vitest'
import { deployed, poolerInFiles, variables, workload } from '../doctor/testing/deployments.ts'
import { pgBouncer, pool } from '../doctor/testing/facts.ts'
import type { Deployment } from '../project/deployments/container.ts'
import type { AppPools } from './assign-pools.ts'
import { sumConnections } from './sum-connections.ts'

const URL = 'postgres://app:s3cret@db/app'

function sum(deployment: Partial<Deployment>, apps: readonly AppPools[], configured?: ReturnType<typeof pgBouncer>) {
  const [each] = deployed(deployment).deployments
  return sumConnections(each as Deployment, apps, configured)
}

/** The rows as texts: `api 6 x 10 = 60`. */
function rows(deployment: Partial<Deployment>, apps: readonly AppPools[], configured?: ReturnType<typeof pgBouncer>) {
  return sum(deployment, apps, configured).rows.map(
    ({ workload: { name }, processes, pools, connections, through }) =>
      `${name} ${processes} x ${pools.map(({ max }) => max).join('+')} = ${connections}${through ? ` to ${through}` : ''}`,
  )
}

const one = (max: number): AppPools[] => [{ folder: '', name: 'shop', pools: [pool(max)] }]
const apps: AppPools[] = [
  { folder: 'apps/web', name: '@shop/web', pools: [pool(5)] },
  { folder: 'apps/worker', name: '@shop/worker', pools: [pool(20), pool(10, { library: 'pg-boss' })] },
]

describe('the pools of a workload', () => {
  test.each([
    ['by its directory', workload('a', 2, { app: 'apps/web' }), 'a 2 x 5 = 10'],
    ['by a directory inside of the app', workload('a', 2, { app: 'apps/web/docker' }), 'a 2 x 5 = 10'],
    ['by its name', workload('web', 2), 'web 2 x 5 = 10'],
    ['by its name behind the name of the project', workload('shop/web', 2), 'shop/web 2 x 5 = 10'],
    ['by a path in its command', workload('a', 2, { command: 'node apps/web/dist/main.js' }), 'a 2 x 5 = 10'],
    ['by a filter in its command', workload('a', 2, { command: 'pnpm --filter @shop/web start' }), 'a 2 x 5 = 10'],
    ['otherwise of the largest app', workload('a', 2), 'a 2 x 20+10 = 60'],
  ])('%s', (_how, each, expected) => {
    expect(rows({ workloads: [each] }, apps)).toEqual([expected])
  })

  test('the sum lists its assumptions', () => {
    expect(sum({ workloads: [workload('a', 2)] }, apps).assumed).toEqual([
      'Assumed that a runs apps/worker, which has the largest pools.',
    ])
    expect(sum({ workloads: [workload('web', 2)] }, apps).assumed).toEqual([])
  })

  test('an app without pools has none', () => {
    expect(rows({ workloads: [workload('site', 2, { app: 'apps/site' })] }, apps)).toEqual([])
  })

  test('migrations need one connection', () => {
    const release = workload('release', 1, { kind: 'job', command: 'npx prisma migrate deploy' })
    expect(rows({ workloads: [release] }, one(20))).toEqual(['release 1 x 1 = 1'])
  })

  test('without sources, the environment has the size, or the usual one is assumed', () => {
    const deployment = {
      workloads: [
        workload('a', 2, { variables: variables({ DATABASE_URL: `${URL}?connection_limit=7` }) }),
        workload('b', 2, { variables: variables({ DATABASE_URL: URL, DB_POOL_SIZE: '12' }) }),
        workload('c', 2, { variables: variables({ DATABASE_URL: URL }) }),
        workload('site', 2, { isKnownClient: false }),
      ],
    }
    expect(rows(deployment, [])).toEqual(['a 2 x 7 = 14', 'b 2 x 12 = 24', 'c 2 x 10 = 20'])
    expect(sum(deployment, []).assumed).toHaveLength(1)
  })
})

test('processes, replicas of a pool, variables, and pools of poolguard', () => {
  const processes = { value: 4, why: 'instances' }
  expect(rows({ workloads: [workload('a', 3, { processes, surging: 1 })] }, one(5))).toEqual(['a 16 x 5 = 80'])
  const replicated = [{ folder: '', name: 'shop', pools: [pool(5, { pools: 3 })] }]
  expect(rows({ workloads: [workload('a', 2)] }, replicated)).toEqual(['a 2 x 5 = 30'])
  const guarded = [{ folder: '', name: 'shop', pools: [pool(50, { guarded: true })] }]
  expect(rows({ workloads: [workload('a', 2)] }, guarded)).toEqual(['a 2 x 50 = 2'])
  const fromVariable = [pool(5, { maxFrom: { kind: 'variable', variable: 'DB_POOL_MAX', fallback: 5 } })]
  const app = [{ folder: '', name: 'shop', pools: fromVariable }]
  const set = workload('a', 2, { variables: variables({ DB_POOL_MAX: '9' }) })
  expect(rows({ workloads: [set, workload('b', 2)] }, app)).toEqual(['a 2 x 9 = 18', 'b 2 x 5 = 10'])
})

describe('poolers', () => {
  const poolers = [poolerInFiles('edoburu/pgbouncer', { DEFAULT_POOL_SIZE: '30', MAX_DB_CONNECTIONS: '25' })]
  const through = (host: string) =>
    workload('a', 10, { variables: variables({ DATABASE_URL: `postgres://app:x@${host}/app` }) })

  test.each([
    ['the name of its service', 'pgbouncer:6432', ' to pgbouncer'],
    ['its name in the cluster', 'pgbouncer.default.svc:6432', ' to pgbouncer'],
    ['the database', 'db:5432', ''],
    ["a provider's pooler", 'ep-cool-1-pooler.eu-central-1.aws.neon.tech', ' to pooler of Neon'],
  ])('by %s', (_what, host, target) => {
    expect(rows({ workloads: [through(host)], poolers }, one(5))).toEqual([`a 10 x 5 = 50${target}`])
  })

  test("a pooler's own connections count against the server, its clients do not", () => {
    const result = sum({ workloads: [through('pgbouncer')], poolers }, one(5))
    expect(result).toMatchObject({ total: 25, poolers: [{ clients: 50, connections: 25 }] })
  })

  test('without an address, workloads connect to the pooler; migrations go past it', () => {
    const release = workload('release', 1, { kind: 'job', command: 'npx prisma migrate deploy' })
    expect(rows({ workloads: [workload('a', 10), release], poolers }, one(5))).toEqual([
      'a 10 x 5 = 50 to pgbouncer',
      'release 1 x 1 = 1',
    ])
    const ini = pgBouncer({ default_pool_size: 10 }, 2)
    expect(sum({ workloads: [workload('a', 10)] }, one(5), ini)).toMatchObject({ total: 20 })
  })

  test('a process can have pools at both', () => {
    const both = [pool(5), pool(3, { urlVariable: 'DIRECT_URL' })]
    const env = variables({ DATABASE_URL: 'postgres://app@pgbouncer/app', DIRECT_URL: 'postgres://app@db/app' })
    const deployment = { workloads: [workload('a', 10, { variables: env })], poolers }
    expect(rows(deployment, [{ folder: '', name: 'shop', pools: both }])).toEqual([
      'a 10 x 5 = 50 to pgbouncer',
      'a 10 x 3 = 30',
    ])
  })
})
