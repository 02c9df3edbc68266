import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import poolguard from '@poolguard/fastify'
import { SqlitePool } from '@poolguard/sqlite'
import Fastify, { type FastifyInstance } from 'fastify'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../harness/index.ts'
import { FIXTURES, runPoolguard } from '../integration/run-poolguard.ts'
import { membersOf } from './sources.ts'
import { codeIn, tableRows } from './tables.ts'

interface Field {
  readonly heading: string
  readonly name: string
  /** It is not always there: its description begins with "Only". */
  readonly optional: boolean
}

const fields: readonly Field[] = tableRows('docs/json.md')
  .filter(({ cells }) => 'Field' in cells)
  .map(({ heading, cells }) => ({
    heading,
    name: codeIn(cells.Field),
    optional: (cells['What it is'] ?? '').startsWith('Only'),
  }))

const LEASES_MEMBERS = [...membersOf('core', 'InsightDurations'), ...membersOf('core', 'LeasesInsight')]

/** By the heading of the table. */
const INTERFACES: readonly (readonly [heading: string, members: readonly string[]])[] = [
  ['Finding', [...membersOf('cli', 'Diagnosis'), ...membersOf('cli', 'Finding')]],
  ['Step', membersOf('cli', 'Step')],
  ['Budget', membersOf('core', 'Budget')],
  ['Sizing', membersOf('core', 'Sizing')],
  ['Check', membersOf('cli', 'Check')],
  ['LoadResult', [...membersOf('cli', 'Figures'), ...membersOf('cli', 'LoadResult')]],
  ['Sample', membersOf('cli', 'Sample')],
  ['ApplicationCount', membersOf('cli', 'ApplicationCount')],
  ['Missed', [...membersOf('cli', 'ServerMissed'), ...membersOf('cli', 'Missed')]],
  ['PoolerPool', membersOf('cli', 'PoolerPool')],
  ['AppSample', membersOf('cli', 'AppSample')],
  ['AppPool', membersOf('cli', 'AppPool')],
  ['EndpointLoad', membersOf('cli', 'EndpointLoad')],
  ['Alert', membersOf('cli', 'Alert')],
  ['Proposal', membersOf('cli', 'Proposal')],
  ['Admin endpoint', membersOf('web', 'AdminReply')],
  ['AdminPool', membersOf('web', 'AdminPool').filter((name) => !membersOf('core', 'PoolSnapshot').includes(name))],
  ['PoolCallers', membersOf('core', 'PoolCallers')],
  [
    'BorrowedConnection',
    ['BorrowedConnection', 'SessionReport', 'LeaseReport'].flatMap((name) => membersOf('core', name)),
  ],
  ['PoolHealth', ['status', 'reasons', ...membersOf('core', 'PoolHealth')]],
  ['AdminInsight', membersOf('web', 'AdminInsight')],
  ['Durations', [...membersOf('core', 'Durations'), ...membersOf('web', 'AdminDurations')]],
  ['PoolSnapshot', membersOf('core', 'PoolSnapshot')],
  ['PoolStats', membersOf('core', 'PoolStats')],
  ['LaneStats', membersOf('core', 'LaneStats')],
  ['FleetSnapshot', membersOf('core', 'FleetSnapshot')],
  ['WalSnapshot', membersOf('core', 'WalSnapshot')],
  ['InsightSummary', membersOf('core', 'InsightSummary')],
  ['LeaseTimes', membersOf('core', 'LeaseTimes')],
  ['InsightFinding', membersOf('core', 'InsightFinding')],
  ['PoolInsight', membersOf('core', 'PoolInsight')],
  ['LaneInsight', [...LEASES_MEMBERS, ...membersOf('core', 'LaneInsight')]],
  ['LabelInsight', [...LEASES_MEMBERS, ...membersOf('core', 'LabelInsight')]],
  ['StatementInsight', [...membersOf('core', 'InsightDurations'), ...membersOf('core', 'StatementInsight')]],
]

test.each(INTERFACES)('the fields of %s are those of the code', (heading, members) => {
  const shown = fields.filter((field) => field.heading === heading).map(({ name }) => name)
  expect(shown.toSorted()).toEqual(members.toSorted())
})

describe('what is printed has the documented fields and no others', () => {
  let server: PostgresServer
  const folder = mkdtempSync(join(tmpdir(), 'poolguard-json-'))
  beforeAll(async () => {
    server = await startPostgres({ maxConnections: 40 })
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ dependencies: { pg: '^8.16.0' } }))
  })
  afterAll(async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const run = async (...args: string[]): Promise<Json> => {
    const { stdout } = await runPoolguard(args, { env: { DATABASE_URL: server.url }, folder })
    return JSON.parse(stdout)
  }

  test('doctor', async () => {
    const found = await run('doctor', '--json')
    requireFields(found, 'doctor')
    for (const finding of listIn(found, 'findings')) requireFields(finding, 'Finding')
    await using client = disposable(new pg.Client(server.url))
    await client.connect()
    for (const process of listIn(await run('doctor', '--json'), 'processes')) requireFields(process, 'Process')
  })

  test('free', async () => {
    await using client = disposable(new pg.Client(server.url))
    client.on('error', () => {})
    await client.connect()
    const args = ['free', '--json', '--older-than', '0s']
    for (const option of ['--dry-run', '--yes']) {
      const freed = await run(...args, option)
      requireFields(freed, 'free')
      for (const candidate of listIn(freed, 'candidates')) requireFields(candidate, 'Candidate')
    }
  })

  test('check', async () => {
    const checked = JSON.parse(
      (await runPoolguard(['check', join(FIXTURES, 'prisma-behind-pgbouncer'), '--json'])).stdout,
    )
    requireFields(checked, 'check')
    for (const finding of listIn(checked, 'findings')) requireFields(finding, 'Finding')
    for (const deployment of listIn(checked, 'deployments')) {
      requireFields(deployment, 'CheckedDeployment')
      for (const workload of listIn(deployment, 'workloads')) requireFields(workload, 'CheckedWorkload')
      for (const pooler of listIn(deployment, 'poolers')) requireFields(pooler, 'CheckedPooler')
    }
  })

  test('init', async () => {
    const project = join(FIXTURES, 'nest-typeorm-replicas')
    const { stdout } = await runPoolguard(['init', '--dry-run', '--json'], { folder: project })
    const planned = JSON.parse(stdout)
    requireFields(planned, 'init')
    for (const file of listIn(planned, 'files')) requireFields(file, 'InitFile')
  })

  test('plan', async () => {
    const plan = await run('plan', '--json', '--instances', '2', '--explain', '--cores', '2')
    requireFields(plan, 'plan', 'Budget')
    for (const sizing of listIn(plan, 'sizing')) requireFields(sizing, 'Sizing')
    requireFields(await run('plan', '--json', '--instances', '500'), 'plan')
  })

  test('verify', async () => {
    const verified = await run('verify', '--json')
    requireFields(verified, 'verify')
    for (const check of listIn(verified, 'checks')) requireFields(check, 'Check')
  })

  test('stress', async () => {
    requireFields(await run('stress', '--json', '--duration', '1'), 'stress', 'LoadResult')
  })

  test('monitor', async () => {
    const sample = await run('monitor', '--samples', '1')
    requireFields(sample, 'Sample')
    for (const count of (sample as { applications: Json[] }).applications) requireFields(count, 'ApplicationCount')
  })

  test('optimize', async () => {
    const optimized = await run('optimize', '--json', '--instances', '2')
    requireFields(optimized, 'optimize')
    for (const proposal of listIn(optimized, 'settings')) requireFields(proposal, 'Proposal')
  })

  test('generate', async () => {
    requireFields(await run('generate', 'pgbouncer', '--json', '--instances', '2', '--print'), 'generate')
  })

  test('the admin endpoint', async () => {
    await using app = Fastify()
    const fleet = { app: 'json' }
    await app.register(poolguard, { pool: { url: server.url, fleet }, admin: true, adminToken: 'token', labels: true })
    app.get('/orders', async () => (await app.poolguard.pool.query('select 1 as one')).rows)
    await app.ready()
    await app.inject('/orders')
    await expect.poll(() => app.poolguard.pool.snapshot().fleet).toMatchObject({ instances: 1 })
    const answer = await readStats(app)
    requireFields(answer, 'Admin endpoint')
    expect(new Date(String(answer.time)).toISOString()).toBe(answer.time)
    const [pool = {}] = listIn(answer, 'pools')
    requireFields(pool, 'PoolSnapshot', 'AdminPool')
    requireFields(pool.health, 'PoolHealth')
    requireFields(pool.fleet, 'FleetSnapshot')
    requireDurations(answer, pool.stats)
    expect(pool.stats).toMatchObject({ waitByLabel: { 'GET /orders': { count: 1 } } })
    requireFields(pool.insight, 'InsightSummary', 'AdminInsight')
    const { times, recent } = pool.insight as Json
    for (const each of [times, (recent as Json).times]) requireFields(each, 'LeaseTimes')
    requireFields(recent, 'PoolInsight')
    for (const label of listIn(recent as Json, 'labels')) {
      requireFields(label, 'LabelInsight')
      for (const statement of listIn(label, 'statements')) requireFields(statement, 'StatementInsight')
    }
  })

  test('the admin endpoint of an app with a SQLite pool', async () => {
    await using sqlite = new SqlitePool({ file: join(folder, 'quota.db') })
    await sqlite.exec('create table quotas (client text)')
    await sqlite.query('select count(*) from quotas')
    await using app = Fastify()
    await app.register(poolguard, { admin: true, adminToken: 'token' })
    const answer = await readStats(app)
    const pools = listIn(answer, 'pools')
    expect(pools.map(({ name }) => name).toSorted()).toEqual(['quota.readers', 'quota.writer'])
    for (const pool of pools) {
      requireFields(pool, 'PoolSnapshot', 'AdminPool')
      requireDurations(answer, pool.stats)
    }
    requireFields(pools.find(({ name }) => name === 'quota.writer')?.wal, 'WalSnapshot')
  })
})

function disposable(client: pg.Client): pg.Client & AsyncDisposable {
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end().catch(() => {}) })
}

type Json = Readonly<Record<string, unknown>>

function listIn(json: Json, name: string): readonly Json[] {
  const list = json[name] as readonly Json[]
  expect(list.length).toBeGreaterThan(0)
  return list
}

async function readStats(app: FastifyInstance): Promise<Json> {
  const { body } = await app.inject({ url: '/admin/db-pool-stats', headers: { authorization: 'Bearer token' } })
  return JSON.parse(body)
}

/** The figures of a pool, whose histograms have the documented buckets and percentiles. */
function requireDurations({ bucketBoundsMillis }: Json, stats: unknown): void {
  requireFields(stats, 'PoolStats')
  const { wait, usage, connect, waitByLabel } = stats as Json
  for (const each of [wait, usage, connect, ...Object.values(waitByLabel as Json)]) {
    requireFields(each, 'Durations')
    const { count, buckets, p50Millis, p95Millis, p99Millis } = each as Readonly<Record<string, number>> & {
      readonly buckets: number[]
    }
    expect(buckets).toHaveLength((bucketBoundsMillis as number[]).length + 1)
    expect(buckets.reduce((sum, inBucket) => sum + inBucket, 0)).toBe(count)
    expect([p50Millis, p95Millis, p99Millis]).toEqual(
      [p50Millis, p95Millis, p99Millis].toSorted((a = 0, b = 0) => a - b),
    )
  }
}

function requireFields(value: unknown, ...headings: string[]): void {
  const json = value as Json
  const documented = fields.filter(({ heading }) => headings.includes(heading))
  const names = Object.keys(json)
  expect(names.filter((name) => !documented.some((field) => field.name === name))).toEqual([])
  const required = documented.filter(({ optional }) => !optional).map(({ name }) => name)
  expect(required.filter((name) => !names.includes(name))).toEqual([])
}
