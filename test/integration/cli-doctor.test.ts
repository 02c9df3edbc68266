import { join } from 'node:path'
import { parseConnectionString } from '@poolguard/core/postgres'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { readServerFacts } from '../../packages/cli/src/database/read-server-facts.ts'
import { describeWithPgBouncer, type PostgresServer, startPgBouncer, startPostgres } from '../harness/index.ts'
import { FIXTURES, type Run, runPoolguard } from './run-poolguard.ts'

const fixture = (name: string) => join(FIXTURES, name)

function rulesOf({ stdout }: Run): string[] {
  return JSON.parse(stdout).findings.map(({ rule }: { rule: string }) => rule)
}

/** A server with a timeout for idle transactions. */
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
    ['neon-postgres-js', ['url-parameters-refused', 'url-parameters-refused', 'pool-per-reload'], 1],
  ])('finds in %s %j', async (name, rules, code) => {
    const run = await runPoolguard(['doctor', '--offline', '--json'], { folder: fixture(name) })

    expect(rulesOf(run)).toEqual(rules)
    expect(run.code).toBe(code)
    expect(run.stdout).not.toContain('s3cret')
  })

  test('reports a connect error together with the findings of the other checks', async () => {
    const { code, stdout } = await runPoolguard(['doctor', 'postgres://app:s3cret@127.0.0.1:1/app'], {
      folder: fixture('nest-typeorm-replicas'),
    })

    expect(code).toBe(1)
    expect(stdout).toContain('Cannot connect: connect ECONNREFUSED')
    expect(stdout).toContain('10 at once during a deploy x max 25')
    expect(stdout).not.toContain('s3cret')
  })

  test('exits with 2 if it cannot connect and finds no other problem', async () => {
    const { code, stdout, stderr } = await runPoolguard(['doctor', 'postgres://app:s3cret@127.0.0.1:1/app'], {
      folder: fixture('healthy-drizzle'),
    })

    expect(stdout).toBe('')
    expect(stderr).toContain('Cannot connect: connect ECONNREFUSED')
    expect(stderr).toContain('Cannot connect to the database')
    expect(stderr).not.toContain('s3cret')
    expect(code).toBe(2)
  })

  test('without a database, reports that it checked the project only', async () => {
    const { code, stdout } = await runPoolguard(['doctor', '--offline'], { folder: fixture('healthy-drizzle') })

    expect(stdout).toContain('No problems found in the project. The database was not checked.')
    expect(code).toBe(0)
  })

  test('exits with 2 if there is nothing to check', async () => {
    const { code } = await runPoolguard(['doctor'])

    expect(code).toBe(2)
  })
})

describe('poolguard doctor with a server', () => {
  test('finds nothing in a healthy project', async () => {
    await using server = await startHealthyPostgres(60)
    const { code, stdout } = await runPoolguard(['doctor', server.url], { folder: fixture('healthy-drizzle') })

    expect(stdout).toContain('No problems found.')
    expect(code).toBe(0)
  })

  test('reports too many instances and a missing timeout, with the change', async () => {
    await using server = await startPostgres({ maxConnections: 30 })
    const run = await runPoolguard(['doctor', server.url, '--instances', '6', '--json'], {
      folder: fixture('healthy-drizzle'),
    })

    expect(run.code).toBe(1)
    expect(rulesOf(run)).toEqual(['pools-exceed-capacity', 'no-idle-in-transaction-timeout'])
    expect(run.stdout).toContain('6 instances: 6 at once x max 8 (src/db/index.ts:4) = 48')
    expect(run.stdout).toContain('Set max to 4')
  })

  test('sees sessions that hold transactions open; other roles need pg_read_all_stats', async () => {
    await using server = await startPostgres()
    const client = new pg.Client({ connectionString: server.adminUrl, application_name: 'orders' })
    await client.connect()
    await client.query('begin')
    const look = async (url: string) => {
      const facts = await readServerFacts(parseConnectionString(url))
      if ('failure' in facts) throw new Error(facts.message)
      return facts
    }
    const [admin, plain] = [await look(server.adminUrl), await look(server.url)]
    await client.end()

    expect(admin).toMatchObject({
      seesAll: true,
      sessions: [{ application: 'orders', state: 'idle in transaction', address: '127.0.0.1', query: 'begin' }],
    })
    expect(plain).toMatchObject({
      seesAll: false,
      sessions: [{ application: 'orders', role: 'postgres', state: null, address: null, query: null }],
    })
  })

  test("as a superuser, suggests ALTER DATABASE, unless the app's role has a timeout", async () => {
    await using server = await startPostgres()
    const folder = fixture('healthy-drizzle')
    const before = await runPoolguard(['doctor', server.adminUrl, '--json'], { folder })
    await server.query("alter role app set idle_in_transaction_session_timeout = '30s'")
    const after = await runPoolguard(['doctor', server.adminUrl, '--json'], { folder })

    expect(before.stdout).toContain('ALTER DATABASE \\"app\\" SET idle_in_transaction_session_timeout')
    expect(rulesOf(after)).toEqual([])
  })

  test('on a full server, reports server-full, the way in, and the findings of the other checks', async () => {
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
    test('checks whether the pooler tracks prepared statements', async () => {
      await using server = await startHealthyPostgres(60)
      await using pgBouncer = await startPgBouncer({ version, upstream: server })
      const run = await runPoolguard(['doctor', pgBouncer.url, '--pooler-url', pgBouncer.statsUrl, '--json'], {
        folder: fixture('neon-postgres-js'),
      })

      expect(JSON.parse(run.stdout).looked.join('\n')).toContain(`PgBouncer ${version}`)
      expect(rulesOf(run)).toEqual(safe ? ['prepare-off-without-need', 'pool-per-reload'] : ['pool-per-reload'])
    })
  })
}
