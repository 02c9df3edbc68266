import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  describeWithPgBouncer,
  type PgBouncerServer,
  type PostgresServer,
  pgBouncerVersions,
  startPgBouncer,
  startPostgres,
  waitUntil,
} from '../harness/index.ts'
import { isFullMatrix } from '../matrix.ts'
import { FIXTURES, type Run, runPoolguard } from './run-poolguard.ts'

const FOLDER = `${FIXTURES}/healthy-drizzle`

interface Found {
  readonly rule: string
  readonly evidence: string
  readonly now?: readonly { readonly run: string }[]
  readonly data: Readonly<Record<string, unknown>>
}

function findingsOf({ stdout, stderr }: Run): readonly Found[] {
  expect(stderr).toBe('')
  return JSON.parse(stdout).findings
}

function doctor(url: string, ...args: readonly string[]): Promise<Run> {
  return runPoolguard(['doctor', url, '--json', ...args], { folder: FOLDER })
}

/** Clients with their own application_name that hold a transaction open. */
async function holders(pooler: PgBouncerServer, count: number): Promise<AsyncDisposable> {
  const clients = Array.from(
    { length: count },
    (_, n) => new pg.Client({ connectionString: pooler.url, application_name: `orders-${n}` }),
  )
  for (const client of clients) {
    client.on('error', () => {})
    await client.connect()
    await client.query('begin')
  }
  return { [Symbol.asyncDispose]: async () => void (await Promise.all(clients.map((client) => client.end()))) }
}

/** A client whose query waits for a server connection. */
async function waiter(pooler: PgBouncerServer): Promise<AsyncDisposable> {
  const client = new pg.Client({ connectionString: pooler.url, application_name: 'checkout' })
  client.on('error', () => {})
  client.connect().then(
    () => client.query('select 1').catch(() => {}),
    () => {},
  )
  await waitUntil(
    async () => (await pooler.show<{ cl_waiting: number }>('POOLS')).some(({ cl_waiting }) => Number(cl_waiting) > 0),
    { what: 'a waiting client' },
  )
  // The socket closes with the pooler; end() would wait for the answer.
  return { [Symbol.asyncDispose]: async () => void client.end().catch(() => {}) }
}

async function command(pooler: PgBouncerServer, text: string): Promise<void> {
  const admin = new pg.Client(pooler.adminUrl)
  await admin.connect()
  await admin.query(text)
  await admin.end()
}

for (const version of isFullMatrix ? pgBouncerVersions : (['1.26'] as const)) {
  const describe = await describeWithPgBouncer(version)
  describe(`poolguard doctor, given PgBouncer ${version}`, () => {
    let server: PostgresServer
    beforeAll(async () => {
      server = await startPostgres({ maxConnections: 60 })
      await server.query("alter role app set idle_in_transaction_session_timeout = '60s'")
    })
    afterAll(() => server.stop())

    test('whose pool is full: names the clients that hold it, and the statement that frees it', async () => {
      await using pooler = await startPgBouncer({ version, upstream: server, settings: { default_pool_size: 2 } })
      await using _held = await holders(pooler, 2)
      await using _waiting = await waiter(pooler)
      const run = await doctor(pooler.url, '--pooler-url', pooler.statsUrl)
      const [first] = findingsOf(run)

      expect(run.code).toBe(1)
      expect(first).toMatchObject({
        rule: 'pooler-pool-full',
        data: { database: 'app', user: 'app', poolSize: 2, serversActive: 2, waiting: 1 },
      })
      expect(first?.data.holders).toHaveLength(2)
      expect(first?.evidence).toContain('orders-0')
      expect(first?.evidence).toContain('orders-1')
      expect(run.stdout).not.toContain('generate pgbouncer`)')

      // The statement spares transactions that have just begun.
      const statement = first?.now?.[0]?.run.replace("interval '1 second'", "interval '0'") ?? ''
      const admin = new pg.Client(server.adminUrl)
      await admin.connect()
      const results = (await admin.query(statement)) as unknown as pg.QueryResult[]
      await admin.end()
      expect(results.at(-1)?.rows).toHaveLength(2)
      await waitUntil(
        async () =>
          (await pooler.show<{ cl_waiting: number }>('POOLS')).every(({ cl_waiting }) => Number(cl_waiting) === 0),
        { what: 'no client that waits' },
      )
    })

    test('that is paused: says so, with the command', async () => {
      await using pooler = await startPgBouncer({ version, upstream: server })
      await command(pooler, 'PAUSE app')
      const findings = findingsOf(await doctor(pooler.url, '--pooler-url', pooler.statsUrl))

      expect(findings[0]).toMatchObject({
        rule: 'pooler-paused',
        now: [{ run: 'RESUME "app";' }, { run: 'SET server_login_retry = 1;' }],
      })
      for (const { run } of findings[0]?.now ?? []) await command(pooler, run)
      const client = new pg.Client(pooler.url)
      await client.connect()
      await client.query('select 1')
      await client.end()
      expect(findingsOf(await doctor(pooler.url, '--pooler-url', pooler.statsUrl))).toEqual([])
    })

    test('that has disabled the database: says so, with the command', async () => {
      await using pooler = await startPgBouncer({ version, upstream: server })
      await command(pooler, 'DISABLE app')
      const findings = findingsOf(await doctor(pooler.url, '--pooler-url', pooler.statsUrl))

      expect(findings[0]).toMatchObject({ rule: 'pooler-disabled', now: [{ run: 'ENABLE "app";' }] })
      await command(pooler, findings[0]?.now?.[0]?.run ?? '')
      expect(findingsOf(await doctor(pooler.url, '--pooler-url', pooler.statsUrl))).toEqual([])
    })

    test('that cannot log in to the server: says so', async () => {
      await server.query("create role rotated login password 'app_password'")
      await using pooler = await startPgBouncer({ version, upstream: server })
      const url = pooler.urlFor({ user: 'app' })
      await server.query("alter role app password 'another'")
      try {
        const [first] = findingsOf(await doctor(url, '--pooler-url', pooler.statsUrl))
        // The first client gets the server's error; while PgBouncer waits for the next attempt, clients get no answer.
        expect(['cannot-connect', 'pooler-login-failing']).toContain(first?.rule)
        const [second] = findingsOf(await doctor(url, '--pooler-url', pooler.statsUrl))
        expect(second?.rule).toBe('pooler-login-failing')
        expect(second?.evidence).toContain(`no connection to ${server.host}:${server.port}`)
      } finally {
        await server.query("alter role app password 'app_password'")
        await server.query('drop role rotated')
      }
    })

    test.each<[rule: string, settings: Record<string, number>, limit: number]>([
      ['pooler-database-limit', { max_db_connections: 2 }, 2],
      ['pooler-user-limit', { max_user_connections: 2 }, 2],
    ])('that has reached a limit: %s', async (rule, settings, limit) => {
      await using pooler = await startPgBouncer({
        version,
        upstream: server,
        settings: { default_pool_size: 20, ...settings },
      })
      await using _held = await holders(pooler, 2)
      await using _waiting = await waiter(pooler)
      const [first] = findingsOf(await doctor(pooler.url, '--pooler-url', pooler.statsUrl))

      expect(first).toMatchObject({ rule, data: { used: 2, limit } })
      expect(first?.evidence).toContain('orders-0')
    })

    test('that rejects clients at max_client_conn: says so, with the applications', async () => {
      await using pooler = await startPgBouncer({ version, upstream: server, settings: { max_client_conn: 5 } })
      await using _held = await holders(pooler, 5)
      const findings = findingsOf(await doctor(pooler.url, '--pooler-url', pooler.statsUrl))

      expect(findings.find(({ rule }) => rule === 'pooler-clients-near-limit')).toMatchObject({
        data: { setting: 'max_client_conn', used: 5, limit: 5, applications: { 'orders-0': 1 } },
      })
    })

    test('that is healthy: finds nothing', async () => {
      await using pooler = await startPgBouncer({ version, upstream: server })

      expect(findingsOf(await doctor(pooler.url, '--pooler-url', pooler.statsUrl)).map(({ rule }) => rule)).toEqual([])
    })
  })
}

const describe = await describeWithPgBouncer('1.24')
describe('poolguard doctor behind a full PgBouncer', () => {
  let server: PostgresServer
  let pooler: PgBouncerServer
  beforeAll(async () => {
    server = await startPostgres({ maxConnections: 60 })
    pooler = await startPgBouncer({
      version: '1.24',
      upstream: server,
      settings: { default_pool_size: 1, stats_users: 'app, pgbouncer_stats' },
    })
  })
  afterAll(async () => {
    await pooler.stop()
    await server.stop()
  })

  test('asks the console with the URL of the app, if its user may', async () => {
    await using _held = await holders(pooler, 1)
    await using _waiting = await waiter(pooler)

    expect(findingsOf(await doctor(pooler.url))[0]).toMatchObject({ rule: 'pooler-pool-full' })
  })

  test('reads the server through DIRECT_URL', async () => {
    await using _held = await holders(pooler, 1)
    await using _waiting = await waiter(pooler)
    const { stdout } = await runPoolguard(['doctor', '--json'], {
      folder: FOLDER,
      env: { DATABASE_URL: pooler.url, DIRECT_URL: server.adminUrl },
    })

    expect(JSON.parse(stdout).findings[0]).toMatchObject({ rule: 'pooler-pool-full' })
    expect(JSON.parse(stdout).looked.join('\n')).toContain('Connected: PostgreSQL 18')
  })
})

describe('a wrong --pooler-url', () => {
  let server: PostgresServer
  let pooler: PgBouncerServer
  beforeAll(async () => {
    server = await startPostgres()
    pooler = await startPgBouncer({ version: '1.24', upstream: server })
  })
  afterAll(async () => {
    await pooler.stop()
    await server.stop()
  })

  const wrong: readonly (readonly [given: string, url: () => string, says: string])[] = [
    ['PostgreSQL itself', () => server.url, 'leads to PostgreSQL, not to PgBouncer'],
    ['a user in neither list', () => pooler.url, 'Add it to stats_users'],
    ['a wrong password', () => pooler.statsUrl.replace(/:[^:@]+@/, ':wrong@'), 'percent-encoded'],
    ['an unknown user', () => pooler.urlFor({ user: 'nobody' }), 'nobody'],
    [
      'a port without a server',
      () => 'postgresql://stats:s3cret@127.0.0.1:1/pgbouncer',
      'no process listens on port 1',
    ],
  ]

  test.each(
    wrong.flatMap(([given, url, says]) =>
      (['doctor', 'verify', 'plan', 'monitor'] as const).map((name) => [name, given, url, says] as const),
    ),
  )('%s, given %s', async (name, _, url, says) => {
    const args = {
      doctor: [],
      verify: ['--concurrency', '2'],
      plan: ['--instances', '2'],
      monitor: ['--samples', '1'],
    }[name]
    const { code, stdout, stderr } = await runPoolguard([name, pooler.url, '--pooler-url', url(), ...args], {
      folder: FOLDER,
    })

    expect(code).toBe(name === 'verify' ? 1 : 2)
    expect(stdout + stderr).toContain(says)
    expect(stdout + stderr).not.toMatch(/s3cret|app_password/)
  })
})
