import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { ProjectFacts } from './project-facts.ts'
import { readProject } from './read-project.ts'

const FIXTURES = join(import.meta.dirname, '../../fixtures')
const fixture = (name: string) => readProject(join(FIXTURES, name))

/** The name, instances and surge of each workload of the first deployment. */
function services({ deployments: { deployments } }: ProjectFacts): string[] {
  const workloads = deployments[0]?.workloads ?? []
  return workloads.map(({ name, instances, surge }) => `${name} ${instances.most.value} +${surge.value}`)
}

test.each(readdirSync(FIXTURES))('%s reads the same with the line ends of Windows', (name) => {
  const folder = join(mkdtempSync(join(tmpdir(), 'poolguard-project-')), name)
  onTestFinished(() => rmSync(dirname(folder), { recursive: true, force: true }))
  cpSync(join(FIXTURES, name), folder, { recursive: true })
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name)
    if (entry.isFile()) writeFileSync(file, readFileSync(file, 'utf8').replaceAll('\n', '\r\n'))
  }

  expect(readProject(folder)).toEqual(fixture(name))
})

test('a NestJS app: the pool in its data source, services merged from an anchor, a start-first update', () => {
  const project = fixture('nest-typeorm-replicas')

  expect(project).toMatchObject({
    drivers: ['pg'],
    pools: [{ file: 'src/data-source.ts', library: 'typeorm', max: 25, maxLine: 6, per: 'process' }],
    deployments: { deployments: [{ name: 'compose.yaml', servers: [{ maxConnections: { value: 120 } }] }] },
    prismaDirectUrl: undefined,
  })
  expect(services(project)).toEqual(['api 6 +2', 'worker 2 +0'])
})

test('Prisma 7 behind a PgBouncer in the compose file, configured by variables', () => {
  const project = fixture('prisma-behind-pgbouncer')

  expect(project).toMatchObject({ drivers: ['pg'], prismaDirectUrl: false })
  expect(services(project)).toEqual(['api 4 +0'])
  expect(project.deployments.deployments[0]).toMatchObject({
    servers: [{ maxConnections: { value: 100 } }],
    poolers: [{ maxFiles: 1024 }],
  })
  expect(project.pgBouncer?.source).toBe('docker-compose.yml, service pgbouncer')
  expect(project.pgBouncer?.values.get('default_pool_size')).toBe('80')
})

test('Prisma 6 with its engine, a pgbouncer.ini, and a URL for migrations', () => {
  const project = fixture('healthy-prisma-pooled')

  expect(project).toMatchObject({ drivers: ['prisma-engine'], prismaDirectUrl: true })
  expect(project.deployments.deployments[0]?.poolers).toMatchObject([{ maxFiles: 2048 }])
  expect(project.pgBouncer).toMatchObject({ source: 'pgbouncer/pgbouncer.ini', databases: 1 })
  expect(project.pgBouncer?.values.get('max_prepared_statements')).toBe('200')
})

test('postgres.js: settings in code, not in comments', () => {
  expect(fixture('neon-postgres-js')).toMatchObject({
    drivers: ['postgres.js'],
    statements: [{ file: 'src/db/index.ts', line: 5, kind: 'prepare-false' }],
    pools: [{ file: 'src/db/index.ts', library: 'postgres', max: 10 }],
    deployments: { deployments: [] },
  })
})

test('a directory that is not a project', () => {
  // Its subdirectories are other projects.
  expect(fixture('')).toMatchObject({ drivers: [], apps: [], pools: [], pgBouncer: undefined })
})

/** A directory with these files; null creates a subdirectory. */
function project(files: Readonly<Record<string, string | null>>) {
  const folder = mkdtempSync(join(tmpdir(), 'poolguard-project-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, text === null ? name : dirname(name)), { recursive: true })
    if (text !== null) writeFileSync(join(folder, name), text)
  }
  return readProject(folder)
}

test('unreadable files are reported, and the rest is read', () => {
  const broken = { 'package.json': '{', 'compose.yaml': 'services:\n  db: [\n', 'pgbouncer.ini': null }

  expect(project(broken)).toMatchObject({
    packages: new Map(),
    deployments: { deployments: [] },
    unread: ['package.json (invalid JSON)', 'compose.yaml (invalid YAML)', 'pgbouncer.ini (a directory)'],
  })
  expect(project({ 'package.json': '{"dependencies":{"prisma":"6"}}', 'prisma/schema.prisma': null }).unread).toEqual([
    'prisma/schema.prisma (a directory)',
  ])
})

test("detects a monorepo's root", () => {
  expect(project({ 'package.json': '{"workspaces":["apps/*"]}' }).isWorkspaceRoot).toBe(true)
  expect(project({ 'pnpm-workspace.yaml': '' }).isWorkspaceRoot).toBe(true)
  expect(project({ 'package.json': '{"dependencies":{"pg":"8"}}' }).isWorkspaceRoot).toBe(false)
})

test('a compose file with empty entries, and with variables for numbers', () => {
  const file = `
services:
  nothing:
  db: { image: 'postgres:18', command: , environment: }
  api: { environment: { DATABASE_URL: x }, deploy: { replicas: '\${REPLICAS:-3}' } }
  worker: { environment: [DATABASE_URL=x, 5], deploy: { replicas: '\${WORKERS}' } }
`
  const facts = project({ 'compose.yaml': file })

  expect(facts.unread).toEqual([])
  expect(facts.deployments.deployments[0]?.servers).toMatchObject([{ maxConnections: { value: 100 } }])
  expect(services(facts)).toEqual(['api 3 +0', 'worker 1 +0'])
})

test('an address can come from an env_file', () => {
  const facts = project({
    '.env': 'DATABASE_URL=postgres://app:s3cret@db/app',
    'worker/.env': 'LOG_LEVEL=info',
    'compose.yaml': `
services:
  api: { build: ., env_file: .env, deploy: { replicas: 4 } }
  worker: { build: ., env_file: [worker/.env, { path: missing.env, required: false }, { path: .env }] }
  mailer: { build: ., env_file: worker/.env }
  db: { build: ./db, env_file: .env }
`,
  })

  expect(services(facts)).toEqual(['api 4 +0', 'worker 1 +0'])
})

test('servers, replicas and tools are not apps', () => {
  const file = `
services:
  exporter: { image: quay.io/prometheuscommunity/postgres-exporter, environment: { DATA_SOURCE_NAME: 'postgresql://x' } }
  db: { image: 'pgvector/pgvector:pg17', command: -c max_connections=50, environment: { POSTGRES_PASSWORD: x } }
  replica: { image: 'bitnami/postgresql:17', environment: { POSTGRES_PASSWORD: x } }
  own: { build: ./postgres, environment: { POSTGRES_PASSWORD: x } }
  pgadmin: { image: dpage/pgadmin4, environment: [PGADMIN_DEFAULT_EMAIL=a@example.com] }
  migrate: { build: ., environment: { DATABASE_URL: x } }
  api: { build: ., environment: { DATABASE_URL: x } }
`
  const facts = project({ 'compose.yaml': file })

  expect(services(facts)).toEqual(['api 1 +0'])
  expect(facts.deployments.deployments[0]?.servers[0]?.maxConnections.value).toBe(50)
})

test('ignores a max in a comment, and a max that does not belong to a pool', () => {
  const source = `import { Pool } from 'pg'
import rateLimit from '@fastify/rate-limit'
/*
 * new Pool({ max: 500 })
 */
app.register(rateLimit, { max: 1000 })
export const pool = new Pool({
  max: 5, // max: 600
})
export const options = () => ({ type: 'postgres', extra: { max: 25 } })
`
  const { pools } = project({ 'package.json': '{"dependencies":{"typeorm":"1"}}', 'src/db.ts': source })

  expect(pools.map(({ library, max, maxLine }) => [library, max, maxLine])).toEqual([
    ['pg', 5, 8],
    ['typeorm', 25, 10],
  ])
})
