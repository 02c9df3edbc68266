import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { drizzle } from '@poolguard/drizzle/node-postgres'
import { GuardedPool } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import { PrismaPg } from '@poolguard/prisma'
import { type PostgresServer, startPostgres } from '@poolguard/test/harness'
import { guardDataSource, migrationDataSource } from '@poolguard/typeorm'
import { sql as drizzleSql } from 'drizzle-orm'
import { DataSource } from 'typeorm'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'

let server: PostgresServer
let folder: string

beforeAll(async () => {
  server = await startPostgres()
  await server.query(`create role served login password 'password-of-the-service'`)
})
afterAll(() => server.stop())

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'poolguard-service-'))
  vi.stubEnv('HOME', folder)
  vi.stubEnv('APPDATA', folder)
  vi.stubEnv('PGSYSCONFDIR', folder)
  for (const name of ['PGSERVICE', 'PGSERVICEFILE', 'PGPASSWORD', 'PGUSER']) vi.stubEnv(name, undefined)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

const DEFAULT_FILE = process.platform === 'win32' ? 'postgresql/.pg_service.conf' : '.pg_service.conf'
const SHOWN_FILE = process.platform === 'win32' ? '%APPDATA%\\postgresql\\.pg_service.conf' : '~/.pg_service.conf'

/** Writes a file with the service `app`. */
function write({ file = DEFAULT_FILE, ...others }: Record<string, string> = {}): string {
  const parts = {
    ...{ host: '127.0.0.1', port: String(server.port), dbname: 'app', user: 'served' },
    ...{ password: 'password-of-the-service', application_name: 'service-app', ...others },
  }
  const path = join(folder, file)
  const lines = Object.entries(parts).map(([name, value]) => `${name}=${value}`)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, ['[other]', 'host=/nowhere', '', '# ours', '[app]', ...lines].join('\n'))
  return path
}

const WHO = `select current_user || ' ' || current_database() || ' ' || current_setting('application_name') as who`
const SERVED = 'served app service-app'

type Ask = (url: string) => Promise<string | undefined>

const askPg: Ask = async (url) => {
  const pool = new GuardedPool({ url })
  onTestFinished(() => pool.end())
  return (await pool.query(WHO)).rows[0].who
}

const drivers: [name: string, ask: Ask][] = [
  ['pg', askPg],
  [
    'postgres.js',
    async (url) => {
      const sql = guardPostgres(url)
      onTestFinished(() => sql.end())
      return (await sql.unsafe(WHO))[0]?.who
    },
  ],
  [
    'Drizzle',
    async (url) => {
      const db = drizzle({ connection: { url } })
      onTestFinished(() => db.$client.end())
      return (await db.execute(drizzleSql.raw(WHO))).rows[0]?.who as string
    },
  ],
  [
    'Prisma',
    async (url) => {
      const adapter = await new PrismaPg(url).connect()
      onTestFinished(() => adapter.dispose())
      return (await adapter.queryRaw({ sql: WHO, args: [], argTypes: [] })).rows[0]?.[0] as string
    },
  ],
  [
    'TypeORM',
    async (url) => {
      const dataSource = await new DataSource(guardDataSource({ type: 'postgres', url })).initialize()
      onTestFinished(() => dataSource.destroy())
      return (await dataSource.query(WHO))[0].who
    },
  ],
  [
    "TypeORM's migrations",
    async (url) => {
      const dataSource = await new DataSource(migrationDataSource({ type: 'postgres', url })).initialize()
      onTestFinished(() => dataSource.destroy())
      return (await dataSource.query(WHO))[0].who
    },
  ],
]

describe.each(drivers)('%s', (_name, ask) => {
  test('the parameter service names a service', async () => {
    write()

    expect(await ask('postgresql:///?service=app')).toBe(SERVED)
  })

  test('a URL has precedence over PGSERVICE, and the service over other variables', async () => {
    write({ file: 'named' })
    vi.stubEnv('PGSERVICEFILE', join(folder, 'named'))
    vi.stubEnv('PGSERVICE', 'app')
    vi.stubEnv('PGUSER', 'nobody')

    expect(await ask(`postgresql://127.0.0.1/postgres`)).toBe('served postgres service-app')
  })
})

describe.each(drivers.slice(0, 2))('%s', (_name, ask) => {
  test('PGSERVICE alone is enough', async () => {
    write({ file: 'pg_service.conf' })
    vi.stubEnv('PGSERVICE', 'app')

    expect(await ask('')).toBe(SERVED)
  })

  test('the parameter servicefile names the file', async () => {
    const path = write({ file: 'named' })

    expect(await ask(`postgresql:///?service=app&servicefile=${encodeURIComponent(path)}`)).toBe(SERVED)
  })

  test('several hosts, with the requirements of the service', async () => {
    const other = await startPostgres()
    onTestFinished(() => other.stop())
    await other.query(`create role served login password 'password-of-the-service'`)
    await other.query('alter system set default_transaction_read_only = on')
    await other.query('select pg_reload_conf()')
    write({
      host: '127.0.0.1,127.0.0.1',
      port: `${other.port},${server.port}`,
      target_session_attrs: 'read-write',
    })

    expect(await ask('service=app')).toBe(SERVED)
  })

  test('no warning and no error shows the password or the path of the file', async () => {
    const path = write({ password: 'wrong-password-1', file: 'named' })
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => warn.mockRestore())

    const error: Error = await ask(`service=app servicefile=${path}`).then(
      () => Promise.reject(new Error('logged in')),
      (reason) => reason,
    )

    expect(error.message).toContain('password authentication failed')
    const shown = JSON.stringify([error, warn.mock.calls], Object.getOwnPropertyNames(error))
    expect(shown).not.toContain('wrong-password-1')
    expect(shown).not.toContain(path)
  })

  test.each([
    [
      'postgresql:///?service=none',
      `Invalid option service: 'none'. It takes the name of a service that ${SHOWN_FILE}`,
    ],
    ['service=app servicefile=/nowhere', 'but the file of the parameter servicefile cannot (ENOENT)'],
  ])('%s is rejected at construction', async (url, message) => {
    write()

    await expect(ask(url)).rejects.toThrow(message)
  })
})

test('options of pg have precedence over the service', async () => {
  write()
  const pool = new GuardedPool({ url: 'service=app', database: 'postgres', application_name: 'own' })
  onTestFinished(() => pool.end())

  expect((await pool.query(WHO)).rows[0].who).toBe('served postgres own')
})
