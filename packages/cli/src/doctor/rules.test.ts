import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseConnectionString } from '@poolguard/core/postgres'
import { describe, expect, test } from 'vitest'
import { diagnose } from './diagnose.ts'
import type { Finding } from './rule.ts'
import { RULES } from './rules/index.ts'
import type { Case } from './testing/case.ts'
import { DEPLOYMENT_CASES, STATEMENT_CASES, WITHOUT_STATEMENTS_CASES } from './testing/deployment-cases.ts'
import { appOf, factsOf, pgBouncer, pooled, poolerConsole, SERVER, sessions, statement } from './testing/facts.ts'
import { POOLER_CASES } from './testing/pooler-cases.ts'
import { SESSION_CASES } from './testing/session-cases.ts'

const POOLER = 'postgresql://app:s3cret@pooler:6432/app'
const NEON = 'postgresql://app:s3cret@ep-cool-leaf-123-pooler.eu.aws.neon.tech/app'
const prisma7 = { packages: new Map([['@prisma/client', '7']]), drivers: ['pg'] as const }

const CASES: Readonly<Record<string, readonly Case[]>> = {
  ...DEPLOYMENT_CASES,
  ...POOLER_CASES,
  ...SESSION_CASES,
  'statement-mode': [
    {
      given: 'a pooler in statement mode',
      facts: {
        server: {
          ...SERVER,
          topology: {
            ...SERVER.topology,
            kind: 'pooler',
            pooler: { name: 'PgBouncer', version: '1.24.1', mode: 'statement', proven: true },
          },
        },
      },
      says: 'pool_mode = transaction',
    },
    { given: 'transaction mode', facts: { server: pooled('safe') } },
  ],
  'prepared-statements-break': [
    {
      given: 'postgres.js behind a pooler that does not track prepared statements',
      facts: { server: pooled('unsafe'), project: { drivers: ['postgres.js'] } },
      says: 'postgres.js names its statements by default',
    },
    {
      given: "Prisma's statementNameGenerator behind such a pooler",
      facts: { server: pooled('unsafe'), project: { statements: [statement('statement-names')] } },
      says: 'statementNameGenerator in src/db.ts:4',
    },
    {
      given: 'postgres.js with prepare: false',
      facts: {
        server: pooled('unsafe'),
        project: { drivers: ['postgres.js'], statements: [statement('prepare-false')] },
      },
    },
    {
      given: 'a pooler that tracks prepared statements',
      facts: { server: pooled('safe'), project: { drivers: ['postgres.js'] } },
    },
    { given: 'pg, which does not name statements', facts: { server: pooled('unsafe') } },
    ...STATEMENT_CASES,
  ],
  'startup-parameters-refused': [
    {
      given: 'a timeout in the URL of a pooler',
      facts: { url: `${POOLER}?statement_timeout=5000` },
      says: `ALTER ROLE "app" SET statement_timeout = '5000'`,
    },
    {
      given: 'options through a detected pooler',
      facts: { url: 'postgresql://app@db/app?options=-c%20work_mem%3D1MB', server: pooled('safe') },
      says: 'for each -c name=value',
    },
    {
      given: 'a pooler that ignores the parameter',
      facts: {
        url: `${POOLER}?statement_timeout=5000`,
        project: { pgBouncer: pgBouncer({ ignore_startup_parameters: 'extra_float_digits, statement_timeout' }) },
      },
    },
    { given: 'PostgreSQL itself', facts: { url: 'postgresql://app@db/app?statement_timeout=5000', server: SERVER } },
  ],
  'url-parameters-refused': [
    {
      given: "Prisma's parameters under postgres.js",
      facts: { url: 'postgresql://app@db/app?connection_limit=5', project: { drivers: ['postgres.js'] } },
      says: 'connection_limit in DATABASE_URL, read by postgres.js',
    },
    {
      given: 'a parameter that postgres.js misreads',
      facts: { url: 'postgresql://app@db/app?max=5', project: { drivers: ['postgres.js'] } },
    },
    { given: 'the same under pg', facts: { url: 'postgresql://app@db/app?connection_limit=5' } },
  ],
  'no-direct-url': [
    {
      given: "Prisma on a provider's pooler",
      facts: { url: NEON, project: { ...prisma7, prismaDirectUrl: false } },
      says: 'postgresql://app:***@ep-cool-leaf-123.eu.aws.neon.tech/app',
    },
    {
      given: 'Prisma on a detected pooler',
      facts: { server: pooled('safe'), project: { ...prisma7, prismaDirectUrl: false } },
      says: 'Set DIRECT_URL to the URL of PostgreSQL itself',
    },
    {
      given: "PgBouncer's port and the project's own settings",
      facts: {
        url: POOLER,
        project: { ...prisma7, prismaDirectUrl: false, pgBouncer: pgBouncer({ pool_mode: 'transaction' }) },
      },
      says: 'leads to a pooler',
    },
    { given: 'a URL for migrations', facts: { url: NEON, project: { ...prisma7, prismaDirectUrl: true } } },
    { given: 'no Prisma', facts: { url: NEON } },
    { given: 'PostgreSQL itself', facts: { server: SERVER, project: { ...prisma7, prismaDirectUrl: false } } },
  ],
  'url-parameters-without-effect': [
    {
      given: 'a parameter that a source sets on the URL, read by the drivers of its app',
      facts: {
        project: {
          drivers: ['pg', 'postgres.js'],
          apps: [appOf('apps/web', ['pg']), appOf('apps/jobs', ['postgres.js'])],
          urlParameters: [
            { file: 'apps/web/db.ts', line: 4, parameter: 'connection_limit', value: '20', app: 'apps/web' },
          ],
        },
      },
      says: 'connection_limit in apps/web/db.ts:4, read by pg',
    },
    {
      given: 'the URL of another app',
      facts: {
        otherTargets: [
          {
            url: parseConnectionString('postgresql://db/app?pgbouncer=true'),
            ...{ source: 'DATABASE_URL in apps/web/.env', app: 'apps/web', isCurrent: true },
          },
        ],
        project: { apps: [appOf('apps/web', ['pg'])] },
      },
      says: 'pgbouncer in DATABASE_URL in apps/web/.env, read by pg',
    },
    {
      given: 'a parameter that pg ignores',
      facts: { url: 'postgresql://app@db/app?connection_limit=5' },
      says: 'set max in the code',
    },
    {
      given: 'parameters that pg reads',
      facts: { url: 'postgresql://app@db/app?application_name=orders&sslmode=verify-full' },
    },
    {
      given: 'poolguard, which reads the parameter',
      facts: {
        url: 'postgresql://app@db/app?connection_limit=5',
        project: { packages: new Map([['@poolguard/pg', '1']]) },
      },
    },
    {
      given: 'the flag for old poolers on a pooler that tracks statements',
      facts: { url: `${POOLER}?pgbouncer=true`, server: pooled('safe'), project: { drivers: ['prisma-engine'] } },
      says: 'pgbouncer in DATABASE_URL',
    },
    {
      given: 'the same flag on a pooler that needs it',
      facts: { url: `${POOLER}?pgbouncer=true`, server: pooled('unsafe'), project: { drivers: ['prisma-engine'] } },
    },
  ],
  'prepare-off-without-need': [
    {
      given: 'prepare: false on PostgreSQL itself',
      facts: { server: SERVER, project: { statements: [statement('prepare-false')] } },
      says: 'src/db.ts:4',
    },
    {
      given: 'prepare: false on a pooler that needs it',
      facts: { server: pooled('unsafe'), project: { statements: [statement('prepare-false')] } },
    },
    {
      given: 'prepare: false on an unchecked server',
      facts: { project: { statements: [statement('prepare-false')] } },
    },
  ],
  'pooler-without-prepared-statements': [
    {
      given: '0 in transaction mode',
      facts: { project: { pgBouncer: pgBouncer({ pool_mode: 'transaction', max_prepared_statements: 0 }) } },
      says: 'max_prepared_statements = 0 (pgbouncer.ini)',
    },
    {
      given: 'session mode',
      facts: { project: { pgBouncer: pgBouncer({ pool_mode: 'session', max_prepared_statements: 0 }) } },
    },
    { given: 'the default', facts: { project: { pgBouncer: pgBouncer({ pool_mode: 'transaction' }) } } },
    ...WITHOUT_STATEMENTS_CASES,
  ],
  'pooler-exceeds-limits': [
    {
      given: 'more than 70 % of the server',
      facts: { server: pooled('safe'), project: { pgBouncer: pgBouncer({ default_pool_size: 80 }) } },
      says: 'Set default_pool_size to 70, or max_connections to 115',
    },
    {
      given: 'more with the reserve pool, which the advice includes',
      facts: {
        server: pooled('safe'),
        project: { pgBouncer: pgBouncer({ default_pool_size: 70, reserve_pool_size: 10 }) },
      },
      says: 'Set default_pool_size and reserve_pool_size to 70 together',
    },
    {
      given: 'pools that max_db_connections limits to too many',
      facts: {
        server: pooled('safe'),
        project: { pgBouncer: pgBouncer({ default_pool_size: 80, max_db_connections: 80 }) },
      },
      says: 'Set default_pool_size to 70',
    },
    {
      given: 'a variable instead of a number',
      facts: { server: SERVER, project: { pgBouncer: pgBouncer({ default_pool_size: '$SIZE' }) } },
    },
    {
      given: 'a second user, who only looks up passwords',
      facts: {
        server: pooled('safe'),
        pooler: poolerConsole({ default_pool_size: 40, auth_user: 'lookup' }, ['app', 'lookup']),
      },
    },
    {
      given: 'a second user',
      facts: { server: pooled('safe'), pooler: poolerConsole({ default_pool_size: 40 }, ['app', 'lookup']) },
      says: '= 80',
    },
    {
      given: 'more than max_db_connections',
      facts: { project: { pgBouncer: pgBouncer({ default_pool_size: 20, max_db_connections: 15 }, 2) } },
      says: '= 40, and max_db_connections = 15 for 2 databases',
    },
    {
      given: 'pools limited by max_db_connections',
      facts: {
        server: SERVER,
        project: { pgBouncer: pgBouncer({ default_pool_size: 30, max_db_connections: 30 }) },
      },
    },
    { given: 'the default on the default', facts: { server: SERVER, project: { pgBouncer: pgBouncer({}) } } },
    { given: 'no PgBouncer', facts: { server: SERVER } },
  ],
  'no-idle-in-transaction-timeout': [
    {
      given: 'no timeout',
      facts: { server: { ...SERVER, idleInTransactionTimeoutMillis: 0 } },
      says: `ALTER ROLE "app" SET idle_in_transaction_session_timeout = '60s'`,
    },
    {
      given: 'no timeout for a role whose name needs quotes',
      facts: { server: { ...SERVER, role: 'orders-api', idleInTransactionTimeoutMillis: 0 } },
      says: 'ALTER ROLE "orders-api" SET',
    },
    {
      given: 'no timeout, for a superuser',
      facts: { server: { ...SERVER, role: 'postgres', superuser: true, idleInTransactionTimeoutMillis: 0 } },
      says: `ALTER DATABASE "app" SET idle_in_transaction_session_timeout = '60s'`,
    },
    {
      given: "no timeout for a superuser, and one for the app's role",
      facts: {
        server: {
          ...SERVER,
          ...{ role: 'postgres', superuser: true, idleInTransactionTimeoutMillis: 0, boundsOtherRoles: true },
        },
      },
    },
    { given: 'a timeout', facts: { server: SERVER } },
    { given: 'no server', facts: {} },
  ],
}

/** Everything that a finding says to people. */
function textOf(finding: Finding | undefined): string {
  if (!finding) return ''
  const { evidence, why, now = [], change } = finding
  return [evidence, why, ...now.flatMap(({ text, run }) => [text, run]), change].join('\n')
}

describe.each(Object.entries(CASES))('%s', (id, cases) => {
  test.each(cases.map((each) => [each.says === undefined ? 'finds nothing' : 'reports a finding', each] as const))(
    '%s given $given',
    (_, { facts, says }) => {
      const found = RULES.find((rule) => rule.id === id)?.check(factsOf(facts))
      if (says === undefined) expect(found).toEqual([])
      else expect(textOf(found?.[0])).toContain(says)
      expect(JSON.stringify(found)).not.toContain('s3cret')
    },
  )

  test('has cases with and without a finding', () => {
    expect(new Set(cases.map(({ says }) => says === undefined))).toEqual(new Set([true, false]))
  })
})

const folder = join(import.meta.dirname, 'rules')
const files = readdirSync(folder).filter((file) => file !== 'index.ts')

test('every rule has cases and a file named after it', () => {
  const ids = RULES.map(({ id }) => id).sort()
  expect(Object.keys(CASES).sort()).toEqual(ids)
  expect(files.map((file) => file.replace(/\.ts$/, '')).sort()).toEqual(ids)
})

test('the README lists every rule with its severity and title', () => {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')
  const rows = [...readme.matchAll(/^\| `([a-z-]+)` +\| (\w+) +\| (.+?) +\|$/gm)].map((row) => row.slice(1))
  expect(rows).toEqual(RULES.map(({ id, severity, title }) => [id, severity, title]))
})

test('a healthy project on a healthy server has no findings', () => {
  expect(diagnose(factsOf({ server: SERVER, scope: { instances: 6 } }))).toEqual([])
})

test('findings name only parameters that are in the URL', () => {
  const url = 'postgresql://app@db/app?pool_timeout=5'
  const found = diagnose(factsOf({ url, project: { drivers: ['postgres.js'] } }))
  expect(found.map(({ evidence }) => evidence)).toEqual(['pool_timeout in DATABASE_URL, read by postgres.js.'])
})

test('a finding names the driver as the project knows it, and the replacement', () => {
  const [found] = diagnose(factsOf({ url: 'postgresql://app@db/app?connection_limit=5', project: prisma7 }))
  expect(found).toMatchObject({
    evidence: 'connection_limit in DATABASE_URL, read by pg, under Prisma.',
    change: 'Remove connection_limit from the URL and set max in the code, or use poolguard, which translates it.',
  })
})

test('critical findings come first', () => {
  const server = { ...SERVER, idleInTransactionTimeoutMillis: 0, sessions: sessions(95) }
  const found = diagnose(factsOf({ server, url: 'postgresql://app@db/app?pgbouncer=true' }))
  expect(found.map(({ severity }) => severity)).toEqual(['critical', 'warning', 'warning'])
})
