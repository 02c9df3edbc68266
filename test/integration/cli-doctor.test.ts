import { join } from 'node:path'
import { parseConnectionString } from '@poolguard/core/postgres'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { lookAtServer } from '../../packages/cli/src/database/look-at-server.ts'
import { describeWithPgBouncer, type PostgresServer, startPgBouncer, startPostgres } from '../harness/index.ts'
import { FIXTURES, type Run, runPoolguard } from './run-poolguard.ts'

const fixture = (name: string) => join(FIXTURES, name)

function rulesOf({ stdout }: Run): string[] {
  return JSON.parse(stdout).findings.map(({ rule }: { rule: string }) => rule)
}

/** As a careful operator has set it up. */
async function startHealthyPostgres(maxConnections: number): Promise<PostgresServer> {
  const server = await startPostgres({ maxConnections })
  await server.query("alter role app set idle_in_transaction_session_timeout = '60s'")
  return server
}

describe('poolguard doctor without a server', () => {
  test.each([
    ['healthy-drizzle', [], 0],
    ['healthy-prisma-pooled', [], 0],
    [
      'prisma-behind-pgbouncer',
      [
        'startup-parameters-refused',
        'no-direct-url',
        'url-parameters-without-effect',
        'url-parameters-without-effect',
        'pooler-without-prepared-statements',
        'pooler-exceeds-limits',
        'clients-exceed-files',
      ],
      1,
    ],
    ['nest-typeorm-replicas', ['pools-exceed-capacity'], 1],
    ['neon-postgres-js', ['url-parameters-refused', 'url-parameters-refused'], 1],
  ])('finds in %s %j', async (name, rules, code) => {
    const run = await runPoolguard(['doctor', '--offline', '--json'], { folder: fixture(name) })

    expect(rulesOf(run)).toEqual(rules)
    expect(run.code).toBe(code)
    expect(run.stdout).not.toContain('s3cret')
  })

  test('tells what it could not look at, and what it found all the same', async () => {
    const { code, stdout } = await runPoolguard(['doctor', 'postgres://app:s3cret@127.0.0.1:1/app'], {
      folder: fixture('nest-typeorm-replicas'),
    })

    expect(code).toBe(1)
    expect(stdout).toContain('Cannot connect: connect ECONNREFUSED')
    expect(stdout).toContain('10 at once during a deploy x max 25')
    expect(stdout).not.toContain('s3cret')
  })

  test('given a database that was named and not reached, then does not call it fine', async () => {
    const { code, stdout, stderr } = await runPoolguard(['doctor', 'postgres://app:s3cret@127.0.0.1:1/app'], {
      folder: fixture('healthy-drizzle'),
    })

    expect(stdout).toBe('')
    expect(stderr).toContain('Cannot connect: connect ECONNREFUSED')
    expect(stderr).toContain('Cannot connect to the database')
    expect(stderr).not.toContain('s3cret')
    expect(code).toBe(2)
  })

  test('given no database, then says that it looked at the project only', async () => {
    const { code, stdout } = await runPoolguard(['doctor', '--offline'], { folder: fixture('healthy-drizzle') })

    expect(stdout).toContain('No problems found in the project. The database was not checked.')
    expect(code).toBe(0)
  })

  test('where there is nothing to look at, could not run', async () => {
    const { code } = await runPoolguard(['doctor'])

    expect(code).toBe(2)
  })
})

describe('poolguard doctor at a server', () => {
  test('given a healthy project, then it is silent', async () => {
    await using server = await startHealthyPostgres(60)
    const { code, stdout } = await runPoolguard(['doctor', server.url], { folder: fixture('healthy-drizzle') })

    expect(stdout).toContain('No problems found.')
    expect(code).toBe(0)
  })

  test('given more instances than fit, and nothing that ends forgotten transactions, then says to what to change', async () => {
    await using server = await startPostgres({ maxConnections: 30 })
    const run = await runPoolguard(['doctor', server.url, '--instances', '6', '--json'], {
      folder: fixture('healthy-drizzle'),
    })

    expect(run.code).toBe(1)
    expect(rulesOf(run)).toEqual(['pools-exceed-capacity', 'no-idle-in-transaction-timeout'])
    expect(run.stdout).toContain('6 instances: 6 at once x max 8 (src/db/index.ts:4) = 48')
    expect(run.stdout).toContain('Set max to 4')
  })

  test('sees who holds transactions open, of its own role at least', async () => {
    await using server = await startPostgres()
    const client = new pg.Client({ connectionString: server.adminUrl, application_name: 'orders' })
    await client.connect()
    await client.query('begin')
    const look = async (url: string) => {
      const facts = await lookAtServer(parseConnectionString(url))
      if ('failure' in facts) throw new Error(facts.message)
      return facts
    }
    const [admin, plain] = [await look(server.adminUrl), await look(server.url)]
    await client.end()

    expect(admin).toMatchObject({ seesAll: true, applications: [{ application: 'orders', sessions: 1 }] })
    expect(admin.applications[0]?.longestIdleInTransactionSeconds).toBeGreaterThan(0)
    expect(plain).toMatchObject({
      seesAll: false,
      applications: [{ application: 'orders', sessions: 1, longestIdleInTransactionSeconds: 0 }],
    })
  })

  test('asked as a superuser, speaks of the database, and not where the role of the app has a timeout', async () => {
    await using server = await startPostgres()
    const folder = fixture('healthy-drizzle')
    const before = await runPoolguard(['doctor', server.adminUrl, '--json'], { folder })
    await server.query("alter role app set idle_in_transaction_session_timeout = '30s'")
    const after = await runPoolguard(['doctor', server.adminUrl, '--json'], { folder })

    expect(before.stdout).toContain('ALTER DATABASE \\"app\\" SET idle_in_transaction_session_timeout')
    expect(rulesOf(after)).toEqual([])
  })

  test('given a server that is full right now, then says so, who can look, and what needs no connection', async () => {
    await using server = await startPostgres({ maxConnections: 8 })
    const clients = Array.from({ length: 5 }, () => new pg.Client(server.url))
    await Promise.all(clients.map((client) => client.connect()))
    const { code, stdout } = await runPoolguard(['doctor', server.url], { folder: fixture('nest-typeorm-replicas') })
    await Promise.all(clients.map((client) => client.end()))

    expect(code).toBe(1)
    expect(stdout).toContain('The server has no connection left (server-full)')
    expect(stdout).toContain('superuser_reserved_connections')
    expect(stdout).toContain('pools-exceed-capacity')
  })
})

for (const [version, safe] of [
  ['1.18', false],
  ['1.24', true],
] as const) {
  const describePgBouncer = await describeWithPgBouncer(version)
  describePgBouncer(`poolguard doctor behind PgBouncer ${version}`, () => {
    test('judges named statements by what the pooler does with them', async () => {
      await using server = await startHealthyPostgres(60)
      await using pgBouncer = await startPgBouncer({ version, upstream: server })
      const run = await runPoolguard(['doctor', pgBouncer.url, '--pooler-url', pgBouncer.statsUrl, '--json'], {
        folder: fixture('neon-postgres-js'),
      })

      expect(JSON.parse(run.stdout).looked.join('\n')).toContain(`PgBouncer ${version}`)
      expect(rulesOf(run)).toEqual(safe ? ['prepare-off-without-need'] : [])
    })
  })
}
