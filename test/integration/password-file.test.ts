import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { drizzle } from '@poolguard/drizzle/node-postgres'
import { GuardedPool } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import { PrismaPg } from '@poolguard/prisma'
import { type PostgresServer, startPostgres } from '@poolguard/test/harness'
import { guardDataSource } from '@poolguard/typeorm'
import { sql as drizzleSql } from 'drizzle-orm'
import pg from 'pg'
import { DataSource } from 'typeorm'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'

let server: PostgresServer
let folder: string
let path: string

beforeAll(async () => {
  server = await startPostgres()
  await server.query(`create role filed login password 'password-of-the-file'`)
})
afterAll(() => server.stop())

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'poolguard-passfile-'))
  path = join(folder, 'pgpass')
  vi.stubEnv('HOME', folder)
  vi.stubEnv('APPDATA', folder)
  for (const name of ['PGPASSFILE', 'PGPASSWORD']) vi.stubEnv(name, undefined)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

function write(text: string, mode = 0o600, file = path): void {
  writeFileSync(file, text)
  chmodSync(file, mode)
}

/** The line of the role on this server. */
const line = (password = 'password-of-the-file') => `127.0.0.1:${server.port}:app:filed:${password}\n`

function urlOf(parameters: Record<string, string> = {}, hosts = `127.0.0.1:${server.port}`): string {
  return `postgresql://filed@${hosts}/app?${new URLSearchParams(parameters)}`
}

const USER = 'select current_user::text as name'

type Ask = (url: string) => Promise<string | undefined>

const askPg: Ask = async (url) => {
  const pool = new GuardedPool({ url })
  onTestFinished(() => pool.end())
  return (await pool.query(USER)).rows[0].name
}

const askPostgresJs: Ask = async (url) => {
  const sql = guardPostgres(url)
  onTestFinished(() => sql.end())
  return (await sql.unsafe(USER))[0]?.name
}

const drivers: [name: string, ask: Ask][] = [
  ['pg', askPg],
  ['postgres.js', askPostgresJs],
]

const orms: [name: string, ask: Ask][] = [
  [
    'Drizzle',
    async (url) => {
      const db = drizzle({ connection: { url } })
      onTestFinished(() => db.$client.end())
      return (await db.execute(drizzleSql.raw(USER))).rows[0]?.name as string
    },
  ],
  [
    'Prisma',
    async (url) => {
      const adapter = await new PrismaPg(url).connect()
      onTestFinished(() => adapter.dispose())
      return (await adapter.queryRaw({ sql: USER, args: [], argTypes: [] })).rows[0]?.[0] as string
    },
  ],
  [
    'TypeORM',
    async (url) => {
      const dataSource = await new DataSource(guardDataSource({ type: 'postgres', url })).initialize()
      onTestFinished(() => dataSource.destroy())
      return (await dataSource.query(USER))[0].name
    },
  ],
]

test.each([...drivers, ...orms])('%s: the parameter passfile names the password file', async (_name, ask) => {
  write(line())

  expect(await ask(urlOf({ passfile: path }))).toBe('filed')
})

describe.each(drivers)('%s', (_name, ask) => {
  function collectWarnings(): string[] {
    const warnings: string[] = []
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation((warning) => {
      warnings.push(String(warning))
    })
    onTestFinished(() => warn.mockRestore())
    return warnings
  }

  test('PGPASSFILE names the password file', async () => {
    write(line())
    vi.stubEnv('PGPASSFILE', path)

    expect(await ask(urlOf())).toBe('filed')
  })

  test.runIf(process.platform !== 'win32')('the default is .pgpass in the home folder', async () => {
    write(line(), 0o600, join(folder, '.pgpass'))

    expect(await ask(urlOf())).toBe('filed')
  })

  test('the parameter has precedence over PGPASSFILE', async () => {
    write(line())
    write(line('wrong-password'), 0o600, join(folder, 'other'))
    vi.stubEnv('PGPASSFILE', join(folder, 'other'))

    expect(await ask(urlOf({ passfile: path }))).toBe('filed')
  })

  test('a password of the URL or the environment has precedence over the file', async () => {
    write(line('wrong-password'))
    const url = urlOf({ passfile: path, password: 'password-of-the-file' })

    expect(await ask(url)).toBe('filed')

    vi.stubEnv('PGPASSWORD', 'password-of-the-file')
    expect(await ask(urlOf({ passfile: path }))).toBe('filed')
  })

  test('each of several hosts has the password of its own line', async () => {
    const other = await startPostgres()
    onTestFinished(() => other.stop())
    await other.query(`create role filed login password 'password-of-the-other'`)
    write(`*:${server.port}:*:*:password-of-the-file\n*:${other.port}:*:*:password-of-the-other\n`)
    const url = (parameters: object) =>
      urlOf({ passfile: path, ...parameters }, `127.0.0.1:${other.port},127.0.0.1:${server.port}`)

    expect(await ask(url({}))).toBe('filed')
    await other.stop()
    expect(await ask(url({}))).toBe('filed')
  })

  test.runIf(process.platform !== 'win32')(
    'a file that others can read is ignored with a warning that does not show its path',
    async () => {
      write(line(), 0o644)
      const warnings = collectWarnings()

      await expect(ask(urlOf({ passfile: path }))).rejects.toThrow()

      expect(warnings.join('\n')).not.toContain(folder)
    },
  )

  test('a wrong password in the file fails at once, and no message shows it', async () => {
    write(line('wrong-password-1'))

    const error: Error = await ask(urlOf({ passfile: path })).then(
      () => Promise.reject(new Error('logged in')),
      (reason) => reason,
    )

    expect(error.message).toContain('password authentication failed')
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('wrong-password-1')
  })
})

test.runIf(process.platform !== 'win32')('the warning about permissions says what to do, once', async () => {
  write(line(), 0o640, join(folder, '.pgpass'))
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  onTestFinished(() => warn.mockRestore())

  await expect(askPg(urlOf())).rejects.toThrow()
  await expect(askPg(urlOf())).rejects.toThrow()

  const warnings = warn.mock.calls.map(([text]) => text).filter((text) => String(text).includes('password file'))
  expect(warnings).toEqual([
    'The password file of ~/.pgpass is ignored: it can be accessed by its group or by others. Run chmod 600 on it',
  ])
})

test('a changed file counts for the next connection', async () => {
  write(line('wrong-password'))
  const pool = new GuardedPool({ url: urlOf({ passfile: path }) })
  onTestFinished(() => pool.end())
  await expect(pool.query(USER)).rejects.toThrow('password authentication failed')

  write(line())

  expect((await pool.query(USER)).rows[0].name).toBe('filed')
})

test('pg.defaults.password has precedence over the file', async () => {
  write(line('wrong-password'))
  const { password } = pg.defaults
  onTestFinished(() => {
    pg.defaults.password = password
  })
  pg.defaults.password = 'password-of-the-file'

  expect(await askPg(urlOf({ passfile: path }))).toBe('filed')
})

test('the parameter produces no warning', () => {
  write(line())
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  onTestFinished(() => warn.mockRestore())
  const pool = new GuardedPool({ url: urlOf({ passfile: path }) })
  const sql = guardPostgres(urlOf({ passfile: path }))
  onTestFinished(() => Promise.all([pool.end(), sql.end()]).then(() => {}))

  expect(warn).not.toHaveBeenCalled()
})
