import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { poolsOfApp, programsOf } from './apps/app-in-project.ts'
import { readProject } from './read-project.ts'

function projectWith(files: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'poolguard-monorepo-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, dirname(name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return readProject(folder, {})
}

const manifest = (name: string, dependencies: Record<string, string> = {}, rest = {}) =>
  JSON.stringify({ name, dependencies, ...rest })
const POOL = `import { Pool } from 'pg'\nexport const pool = new Pool({ max: 15 })\n`

const APPS = {
  'apps/web/package.json': manifest('web', { next: '^16', '@acme/db': 'workspace:*' }),
  'apps/web/.env.local': 'DATABASE_URL=postgres://app@web-db/app',
  'apps/web/src/lib/jobs.ts': `import PgBoss from 'pg-boss'\nexport const boss = new PgBoss(process.env.DATABASE_URL)\n`,
  'apps/api/package.json': manifest('api', { fastify: '^5', pg: 'catalog:', '@acme/db': 'workspace:*' }),
  'apps/api/src/db.ts': POOL,
  'apps/api/.env': 'DB_HOST=api-db\nDB_NAME=orders',
  'packages/db/package.json': manifest('@acme/db', { pg: '^8' }),
  'packages/db/src/index.ts': POOL,
  'packages/ui/package.json': manifest('@acme/ui', { react: '^19' }),
  'playground/package.json': manifest('playground', { pg: '^8' }),
  'playground/db.ts': POOL,
  '.env': 'LOG_LEVEL=info\nDATABASE_URL=postgres://app@shared/app',
}

test.each([
  [
    'pnpm',
    {
      'package.json': manifest('root'),
      'pnpm-workspace.yaml': 'packages: [apps/*, packages/*]\ncatalog: { pg: ^8.20.0 }',
    },
  ],
  ['npm and bun', { 'package.json': manifest('root', {}, { workspaces: ['apps/*', 'packages/*'] }) }],
  ['yarn', { 'package.json': manifest('root', {}, { workspaces: { packages: ['apps/*', 'packages/*'] } }) }],
  ['lerna', { 'package.json': manifest('root'), 'lerna.json': '{"packages":["apps/*","packages/*"]}' }],
])('a monorepo of %s: every app with its packages, pools and environment', (_what, root) => {
  const { apps, pools, isWorkspaceRoot, unread } = projectWith({ ...APPS, ...root })

  expect(isWorkspaceRoot).toBe(true)
  expect(unread).toEqual([])
  expect(apps.map(({ folder }) => folder)).toEqual(['', 'apps/api', 'apps/web', 'packages/db', 'packages/ui'])
  expect(pools.map(({ app, file, library, per }) => [app, file, library, per])).toEqual([
    ['apps/api', 'apps/api/src/db.ts', 'pg', 'process'],
    ['apps/web', 'apps/web/src/lib/jobs.ts', 'pg-boss', 'reload'],
    ['packages/db', 'packages/db/src/index.ts', 'pg', 'process'],
  ])
  expect(programsOf(apps).map(({ folder }) => folder)).toEqual(['apps/api', 'apps/web'])
  const web = apps.find(({ folder }) => folder === 'apps/web')
  expect(web && poolsOfApp(apps, web).map(({ library }) => library)).toEqual(['pg-boss', 'pg'])
  expect(web?.environment.variables).toMatchObject({ DATABASE_URL: 'postgres://app@web-db/app', LOG_LEVEL: 'info' })
})

test("a version in pnpm's catalog", () => {
  const { apps } = projectWith({
    ...APPS,
    'package.json': manifest('root'),
    'pnpm-workspace.yaml': "packages: ['apps/*']\ncatalog: { pg: ^8.20.0 }",
  })
  expect(apps.find(({ folder }) => folder === 'apps/api')?.packages.get('pg')).toBe('^8.20.0')
})

test('Nx: projects without a package.json use the packages of the root', () => {
  const { apps, pools } = projectWith({
    'package.json': manifest('root', { typeorm: '^1', pg: '^8' }),
    'nx.json': '{}',
    'apps/api/project.json': '{"name":"api","projectType":"application"}',
    'apps/api/src/data-source.ts': `import { DataSource } from 'typeorm'\nexport default new DataSource({ type: 'postgres', poolSize: 12 })`,
  })

  expect(apps.map(({ folder, drivers }) => [folder, drivers])).toEqual([
    ['', ['pg']],
    ['apps/api', ['pg']],
  ])
  expect(pools).toMatchObject([{ app: 'apps/api', max: 12 }])
})

test('apps side by side without a workspace', () => {
  const { apps } = projectWith({
    'package.json': manifest('root'),
    'backend/package.json': manifest('backend', { pg: '8' }),
    'backend/db.ts': POOL,
    'frontend/package.json': manifest('frontend'),
  })
  expect(programsOf(apps).map(({ folder }) => folder)).toEqual(['backend'])
})

test.each([
  ['a path of dotenv', `import { config } from 'dotenv'\nconfig({ path: ['.env.db', '.env'] })`],
  [
    "Nest's envFilePath",
    `import { ConfigModule } from '@nestjs/config'\nConfigModule.forRoot({ envFilePath: ['.env.db', '.env'] })`,
  ],
])('files that the sources name: %s', (_what, source) => {
  const { apps } = projectWith({
    'package.json': manifest('app', { pg: '8' }),
    'src/main.ts': source,
    '.env': 'DB_MAX=5\nDB_NAME=a',
    '.env.db': 'DB_MAX=9',
    '.env.production': 'DB_MAX=50',
    '.env.example': 'DB_MAX=1',
  })
  const environment = apps[0]?.environment

  expect(environment?.variables).toEqual({ DB_MAX: '9', DB_NAME: 'a' })
  expect(environment?.others.map(({ file }) => file)).toEqual(['.env.production'])
  expect(environment?.ignored).toEqual(['.env.example'])
})

test('files that the scripts name, and the size that they set', () => {
  const { apps, pools } = projectWith({
    'package.json': manifest('app', { pg: '8' }, { scripts: { start: 'node --env-file=.env.runtime dist/main.js' } }),
    'src/db.ts': `import { Pool } from 'pg'\nnew Pool({ max: Number(process.env.DB_MAX ?? 10) })`,
    '.env.runtime': 'DB_MAX=33',
  })

  expect(apps[0]?.environment.used.map(({ file }) => file)).toEqual(['.env.runtime'])
  expect(pools).toMatchObject([{ max: 33, maxFrom: { kind: 'variable', variable: 'DB_MAX', fallback: 10 } }])
})

test('a parameter that a source sets on a URL', () => {
  const { urlParameters } = projectWith({
    'package.json': manifest('app', { '@prisma/client': '7' }),
    'src/database.ts': `import { PrismaClient } from '@prisma/client'
const url = new URL(process.env.DATABASE_URL)
url.searchParams.set('connection_limit', '20')
`,
  })
  expect(urlParameters).toEqual([
    { file: 'src/database.ts', line: 3, parameter: 'connection_limit', value: '20', app: '' },
  ])
})
