import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InvalidOptionError } from '@poolguard/core'
import { parseConnectionString, readConnection, withService } from '@poolguard/core/adapter'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type LibpqReading, loadLibpqConnection } from './libpq.ts'

const folder = mkdtempSync(join(tmpdir(), 'poolguard-service-'))
const own = join(folder, '.pg_service.conf')
const named = join(folder, 'named.conf')
const system = join(folder, 'system')
/** The library of libpq has a copy of the environment there, which Node does not change. */
const IS_WINDOWS = process.platform === 'win32'
let readByLibpq: (conninfo: string) => LibpqReading

const VARIABLES = ['PGSERVICE', 'PGSERVICEFILE', 'PGHOST', 'PGPORT', 'PGUSER', 'PGPASSWORD', 'PGDATABASE', 'PGAPPNAME']

beforeAll(async () => {
  readByLibpq = await loadLibpqConnection()
  mkdirSync(system)
})
beforeEach(() => {
  for (const name of VARIABLES) vi.stubEnv(name, undefined)
  vi.stubEnv('HOME', folder)
  vi.stubEnv('PGSYSCONFDIR', system)
  for (const path of [own, named, join(system, 'pg_service.conf')]) rmSync(path, { force: true })
  return () => vi.unstubAllEnvs()
})
afterAll(() => rmSync(folder, { recursive: true }))

/** The keywords of the services. Hosts are directories without sockets, so that nothing is looked up or connected to. */
const KEYWORDS = ['host', 'port', 'user', 'password', 'dbname', 'application_name'] as const

type Parts = Partial<Record<(typeof KEYWORDS)[number], string>>

/** What libpq would connect with; undefined if it rejects the service. */
function partsOfLibpq(conninfo: string): Parts | undefined {
  const reading = readByLibpq(conninfo)
  if (typeof reading === 'string') return undefined
  // The database is the user by default, and the user that of the operating system.
  const user = reading.get('user')
  const database = reading.get('dbname')
  return withoutDefaults({
    ...Object.fromEntries(KEYWORDS.map((keyword) => [keyword, reading.get(keyword)])),
    dbname: database === user ? undefined : database,
  })
}

function partsOfPoolguard(conninfo: string): Parts | undefined {
  try {
    const { target, settings } = readConnection(withService(parseConnectionString(conninfo)))
    const { hosts, user, password, database } = target
    return withoutDefaults({
      host: hosts.map(({ host }) => host).join(','),
      port: hosts.map(({ port }) => port ?? 5432).join(','),
      user,
      password,
      dbname: database === user ? undefined : database,
      application_name: settings.applicationName,
    })
  } catch (error) {
    if (error instanceof InvalidOptionError) return undefined
    throw error
  }
}

const DEFAULT_USER = process.env.USER ?? 'root'

/** A list of equal ports is the same as one port, and a port without a host is one of this machine. */
function withoutDefaults({ port, user, ...parts }: Record<string, string | undefined>): Parts {
  const ports = new Set(port?.split(','))
  const given = { ...parts, port: ports.size === 1 ? [...ports][0] : port, user: user === DEFAULT_USER ? '' : user }
  return Object.fromEntries(
    Object.entries(given).filter(([, value]) => value && value !== '5432' && value !== 'localhost'),
  )
}

function quote(parts: Parts & { readonly service?: string }): string {
  return Object.entries(parts)
    .map(([keyword, value]) => `${keyword}='${value.replaceAll(/['\\]/g, '\\$&')}'`)
    .join(' ')
}

const word = fc
  .array(fc.constantFrom('a', 'b', ' ', '=', '#', '[', ']', "'", '\\', '%', 'é', '🔑'), { minLength: 1, maxLength: 4 })
  .map((characters) => characters.join(''))
  .filter((text) => text.trim() !== '')
const values = { host: fc.constantFrom('/nowhere', '/none', '/a,/b'), port: fc.constantFrom('1', '2') }
const name = fc.constantFrom('a', 'b', 'a]b', 'é', ' ')
const blank = fc.constantFrom('', '', '', ' ', '\t', '\r')

const given = fc.record(
  { ...values, user: word, password: word, dbname: word, application_name: word },
  { requiredKeys: [] },
)
const pair = fc.oneof(
  ...KEYWORDS.map((keyword) => fc.tuple(fc.constant(keyword), keyword in values ? values[keyword as 'host'] : word)),
)
const line = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.tuple(blank, pair, blank).map(([before, [key, value], after]) => `${before}${key}=${value}${after}`),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(blank, name, fc.constantFrom('', ' ', 'x'))
      .map(([before, each, after]) => `${before}[${each}]${after}`),
  },
  { weight: 2, arbitrary: fc.constantFrom('', ' ', '# host=/comment', ' #', ';host=/x') },
  { weight: 1, arbitrary: fc.constantFrom('service=a', 'host = /x', '=x', 'nonsense', '[a', 'host') },
)
const file = fc
  .tuple(name, fc.array(line, { maxLength: 8 }))
  .map(([first, lines]) => [`[${first}]`, ...lines].join('\n'))

function expectSame(conninfo: string): boolean {
  const theirs = partsOfLibpq(conninfo)
  expect(partsOfPoolguard(conninfo)).toEqual(theirs)
  return theirs !== undefined
}

test.skipIf(IS_WINDOWS)('a service gives the same connection as with libpq', () => {
  let found = 0
  fc.assert(
    fc.property(given, name, file, fc.option(file), fc.boolean(), (parts, service, text, text2, byVariable) => {
      writeFileSync(own, text)
      if (text2 !== null) writeFileSync(join(system, 'pg_service.conf'), text2)
      else rmSync(join(system, 'pg_service.conf'), { force: true })
      vi.stubEnv('PGSERVICE', byVariable ? service : undefined)

      if (expectSame(quote(byVariable ? parts : { ...parts, service }) || ' port=1')) found++
    }),
    { numRuns: 3_000 },
  )

  expect(found).toBeGreaterThan(300)
})

describe.skipIf(IS_WINDOWS)('the file', () => {
  const section = (host: string) => `[a]\nhost=${host}\n`

  test.each<[title: string, files: Record<string, string>, variables: Record<string, string>]>([
    [
      'of PGSERVICEFILE replaces that of the home folder',
      { [own]: section('/own'), [named]: section('/named') },
      { PGSERVICEFILE: named },
    ],
    ['of PGSERVICEFILE must exist', { [own]: section('/own') }, { PGSERVICEFILE: named }],
    ['of the system counts if the own one is absent', { [join(system, 'pg_service.conf')]: section('/system') }, {}],
    [
      'of the system counts if the named one lacks the service',
      { [join(system, 'pg_service.conf')]: section('/system'), [named]: '[b]' },
      { PGSERVICEFILE: named },
    ],
    [
      'of the system does not complete a service of the own one',
      { [join(system, 'pg_service.conf')]: '[a]\nport=1', [own]: section('/own') },
      {},
    ],
    ['must define the service', { [own]: '[b]' }, {}],
    ['may be absent only without a service', {}, {}],
    ['has precedence over other variables', { [own]: section('/own') }, { PGHOST: '/variable' }],
  ])('%s, as for libpq', (_title, files, variables) => {
    for (const [path, text] of Object.entries(files)) writeFileSync(path, text)
    for (const [each, value] of Object.entries(variables)) vi.stubEnv(each, value)

    expectSame('service=a')
  })
})
