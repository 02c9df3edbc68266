import { expect, test } from 'vitest'
import { pool } from '../doctor/testing/facts.ts'
import type { AppInProject } from '../project/apps/app-in-project.ts'
import { appsWithPools } from './apps-with-pools.ts'

function app(folder: string, rest: Partial<AppInProject> = {}): AppInProject {
  const environment = { variables: {}, used: [], others: [], ignored: [] }
  return {
    ...{ folder, name: folder || 'shop', packages: new Map(), drivers: [], dependsOn: [], pools: [], environment },
    prismaDirectUrl: undefined,
    ...rest,
  }
}

/** The pools of each app: `apps/web: 5 10`. */
function summaries(...apps: AppInProject[]): string[] {
  const project = { apps, pools: apps.flatMap(({ pools }) => pools), packages: new Map(), drivers: [] }
  return appsWithPools(project).map(({ folder, pools }) => `${folder}: ${pools.map(({ max }) => max).join(' ')}`)
}

test('an app opens its own pools and those of the packages that it uses; scripts do not count', () => {
  const database = app('packages/db', { pools: [pool(5), pool(90, { role: 'script' })] })
  const worker = app('apps/worker', { dependsOn: ['packages/db'], pools: [pool(10, { library: 'pg-boss' })] })

  expect(summaries(app('apps/web', { dependsOn: ['packages/db'] }), worker, database)).toEqual([
    'apps/web: 5',
    'apps/worker: 10 5',
  ])
})

test("without a pool in the sources, the driver's default counts", () => {
  expect(summaries(app('', { drivers: ['pg'] }))).toEqual([': 10'])
})

test('a call of knex with the options of the knexfile is no second pool', () => {
  const file = 'knexfile.js'
  const call = pool(undefined, { library: 'knex', maxFrom: { kind: 'unknown', expression: 'require()' } })

  expect(summaries(app('', { pools: [pool(20, { library: 'knex', file, maxFile: file }), call] }))).toEqual([': 20'])
})
