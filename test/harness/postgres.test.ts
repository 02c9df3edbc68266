import { Client } from 'pg'
import { describe, expect, test } from 'vitest'
import { failureOf } from './fixtures/failure-of.ts'
import { type PostgresServer, postgresVersions, queryOnce, startPostgres, waitUntil } from './index.ts'

async function connected(url: string): Promise<Client> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  return client
}

describe.each(postgresVersions)('PostgreSQL %i', (version) => {
  test('starts, says its version, and lets the plain role in', async () => {
    await using server = await startPostgres({ version })

    expect(server.version).toMatch(new RegExp(`^${version}\\.\\d+$`))
    const rows = await queryOnce(
      server.url,
      `SELECT current_user, current_database(), rolsuper FROM pg_roles WHERE rolname = current_user`,
    )
    expect(rows).toEqual([{ current_user: 'app', current_database: 'app', rolsuper: false }])
    await queryOnce(server.url, 'CREATE TABLE belongs_to_app (id int)')
  })
})

describe('a server', () => {
  test('asks everyone for a password', async () => {
    await using server = await startPostgres()

    const { code } = await failureOf(queryOnce(server.urlFor({ user: 'postgres', password: 'wrong' }), 'SELECT 1'))
    expect(code).toBe('28P01')
    const methods = await server.query('SELECT DISTINCT auth_method FROM pg_hba_file_rules')
    expect(methods).toEqual([{ auth_method: 'scram-sha-256' }])
  })

  test('is full at maxConnections less the three kept for superusers, and tells so with 53300', async () => {
    await using server = await startPostgres({ maxConnections: 5 })
    const clients = [await connected(server.url), await connected(server.url)]

    const { code } = await failureOf(connected(server.url))
    expect(code).toBe('53300')
    expect(await server.connectionCount()).toBe(2)

    for (const client of clients) await client.end()
    expect(await server.connectionCount()).toBe(0)
  })

  test('takes any setting, which ALTER SYSTEM still overrides', async () => {
    await using server = await startPostgres({ settings: { work_mem: '1MB', application_name: "it's C:\\new" } })
    const settingsNow = () =>
      server.query(`SELECT current_setting('work_mem') AS mem, current_setting('application_name') AS name`)

    expect(await settingsNow()).toEqual([{ mem: '1MB', name: "it's C:\\new" }])
    await server.query(`ALTER SYSTEM SET work_mem = '2MB'`)
    await server.restart()
    expect(await settingsNow()).toEqual([{ mem: '2MB', name: "it's C:\\new" }])
  })

  test('keeps its data and port over restart, also after kill', async () => {
    await using server = await startPostgres()
    await queryOnce(server.url, 'CREATE TABLE kept (id int)')
    await using _idle = closing(await connected(server.url))

    for (const end of [() => server.restart(), () => killAndRestart(server)]) {
      await end()
      expect(await queryOnce(server.url, 'SELECT count(*)::int FROM kept')).toEqual([{ count: 0 }])
    }
  })

  test('refuses connections after stop, and its log can still be read', async () => {
    const server = await startPostgres()
    await server.stop('immediate')
    await server.stop()

    const { code } = await failureOf(queryOnce(server.url, 'SELECT 1'))
    expect(code).toBe('ECONNREFUSED')
    expect(server.log()).toContain('ready to accept connections')
  })

  test('that cannot start fails with its log', async () => {
    const { message } = await failureOf(startPostgres({ settings: { no_such_setting: 1 } }))
    expect(message).toContain('unrecognized configuration parameter "no_such_setting"')
  })

  test('ten servers at once do not take ports from each other', async () => {
    const servers = await Promise.all(
      Array.from({ length: 10 }, () => startPostgres({ settings: { shared_buffers: '1MB' } })),
    )
    expect(new Set(servers.map(({ port }) => port)).size).toBe(10)
    await Promise.all(servers.map((server) => server.stop('immediate')))
  })

  test('counts the plain role connections that come and go', async () => {
    await using server = await startPostgres()
    const client = await connected(server.url)
    expect(await server.connectionCount()).toBe(1)
    await client.end()
    await waitUntil(async () => (await server.connectionCount()) === 0, { what: 'the connection is gone' })
  })
})

async function killAndRestart(server: PostgresServer): Promise<void> {
  await server.kill('SIGKILL')
  const { code } = await failureOf(queryOnce(server.url, 'SELECT 1'))
  expect(code).toBe('ECONNREFUSED')
  await server.restart()
}

function closing(client: Client): AsyncDisposable {
  return { [Symbol.asyncDispose]: () => client.end() }
}
