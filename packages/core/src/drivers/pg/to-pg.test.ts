import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { parseConnectionString } from '../../connection-string/index.ts'
import { InvalidOptionError } from '../../invalid-option-error.ts'
import type { TopologyTraits } from '../../topology/index.ts'
import type { ConnectionSettings } from '../neutral/connection-settings.ts'
import { type PgOptions, toPg } from './to-pg.ts'

const pooler: TopologyTraits = { sharesServers: true, preparedStatements: 'safe', refusesStartupParameters: true }

function rewrite(parameters: string, settings?: ConnectionSettings, topology?: TopologyTraits): [PgOptions, string[]] {
  const { options, warnings, repairs } = toPg(parseConnectionString(`postgresql://db/${parameters}`), settings, {
    topology,
    readCertificate: (path) => `read ${path}`,
  })
  const { host, ...rest } = options
  expect(host).toBe('db')
  return [rest, [...repairs, ...warnings].map(({ code, parameter }) => `${parameter} ${code}`).sort()]
}

describe('connection settings in pg', () => {
  test.each<[settings: ConnectionSettings, options: PgOptions]>([
    [{}, {}],
    [
      { max: 5, min: 1 },
      { max: 5, min: 1 },
    ],
    [{ acquireTimeoutMillis: 10_000 }, { connectionTimeoutMillis: 10_000 }],
    [{ connectTimeoutMillis: 5_000 }, { connectionTimeoutMillis: 5_000 }],
    [{ acquireTimeoutMillis: 0 }, { connectionTimeoutMillis: 1 }],
    [{ acquireTimeoutMillis: Infinity }, { connectionTimeoutMillis: 0 }],
    [{ idleTimeoutMillis: 30_000 }, { idleTimeoutMillis: 30_000 }],
    [{ idleTimeoutMillis: Infinity }, { idleTimeoutMillis: 0 }],
    [{ maxLifetimeMillis: 90_500 }, { maxLifetimeSeconds: 91 }],
    [{ queryTimeoutMillis: 3_000 }, { query_timeout: 3_000 }],
    [
      { statementTimeoutMillis: 5_000, applicationName: 'web' },
      { statement_timeout: 5_000, application_name: 'web' },
    ],
    [
      { lockTimeoutMillis: 100, idleInTransactionTimeoutMillis: 200 },
      { lock_timeout: 100, idle_in_transaction_session_timeout: 200 },
    ],
  ])('%o becomes %o', (settings, options) => {
    expect(rewrite('', settings)).toEqual([options, []])
  })

  test('waiting and connecting share one timeout', () => {
    expect(rewrite('', { acquireTimeoutMillis: 10_000, connectTimeoutMillis: 5_000 })).toEqual([
      { connectionTimeoutMillis: 10_000 },
      ['connectTimeoutMillis one-timeout'],
    ])
  })

  test.each<[settings: ConnectionSettings]>([
    [{ max: 0 }],
    [{ max: 1.5 }],
    [{ min: -1 }],
    [{ idleTimeoutMillis: -1 }],
    [{ connectTimeoutMillis: Number.NaN }],
  ])('%o is invalid', (settings) => {
    expect(() => rewrite('', settings)).toThrow(InvalidOptionError)
  })
})

describe('URL parameters that pg ignores', () => {
  test.each<[parameters: string, options: PgOptions, warnings: string[]]>([
    [
      '?connection_limit=5&pool_timeout=20',
      { max: 5, connectionTimeoutMillis: 20_000 },
      ['connection_limit translated', 'pool_timeout translated'],
    ],
    [
      '?max=3&connect_timeout=5',
      { max: 3, connectionTimeoutMillis: 5_000 },
      ['max translated', 'connect_timeout translated'],
    ],
    [
      '?connectionTimeoutMillis=500&idleTimeoutMillis=0',
      { connectionTimeoutMillis: 500, idleTimeoutMillis: 0 },
      ['connectionTimeoutMillis translated', 'idleTimeoutMillis translated'],
    ],
    [
      '?pgbouncer=true&statement_cache_size=0',
      {},
      ['pgbouncer ignored-by-driver', 'statement_cache_size ignored-by-driver'],
    ],
    ['?target_session_attrs=read-write', {}, ['target_session_attrs ignored-by-driver']],
    ['?gssencmode=disable', {}, ['gssencmode ignored-by-driver']],
    ['?channel_binding=require', { enableChannelBinding: true }, ['channel_binding translated']],
    ['?channel_binding=disable', { enableChannelBinding: false }, ['channel_binding translated']],
    [
      '?keepalives=1&keepalives_idle=30',
      { keepAlive: true, keepAliveInitialDelayMillis: 30_000 },
      ['keepalives translated', 'keepalives_idle translated'],
    ],
    ['?schema=shop', { options: '-c search_path="shop"' }, ['schema translated']],
    ['?search_path=a, b', { options: '-c search_path=a,\\ b' }, ['search_path translated']],
    [
      '?work_mem=4MB&myext.level=1',
      { options: '-c work_mem=4MB -c myext.level=1' },
      ['work_mem translated', 'myext.level translated'],
    ],
  ])('%s is translated or produces a warning', (parameters, options, warnings) => {
    expect(rewrite(parameters)).toEqual([options, [...warnings].sort()])
  })

  test.each<[parameters: string, options: PgOptions]>([
    ['?application_name=web&fallback_application_name=x', { application_name: 'web', fallback_application_name: 'x' }],
    ['?statement_timeout=5s', { statement_timeout: 5_000 }],
    ['?statement_timeout=250', { statement_timeout: 250 }],
    ['?options=-c lock_timeout=1s -c geqo=off', { lock_timeout: 1_000, options: '-c geqo=off' }],
    ['?options=endpoint%3Dep-1', { options: 'endpoint=ep-1' }],
    ['?query_timeout=900', { query_timeout: 900 }],
    ['?replication=database', { replication: 'database' }],
  ])('%s is kept, since pg reads it', (parameters, options) => {
    expect(rewrite(parameters)).toEqual([options, []])
  })

  test("the schema is returned separately for Prisma's adapter", () => {
    expect(toPg(parseConnectionString('postgresql://db/?schema=shop')).schema).toBe('shop')
  })
})

describe('pg behind a pooler that rejects startup parameters', () => {
  test.each<[parameters: string, options: PgOptions, warnings: string[]]>([
    ['?statement_timeout=5s', {}, ['statement_timeout refused-by-pooler']],
    [
      '?lock_timeout=1&idle_in_transaction_session_timeout=2',
      {},
      ['lock_timeout refused-by-pooler', 'idle_in_transaction_session_timeout refused-by-pooler'],
    ],
    ['?options=-c statement_timeout=5s endpoint%3Dep-1', { options: 'endpoint=ep-1' }, ['options refused-by-pooler']],
    ['?schema=shop', {}, ['schema translated', 'schema refused-by-pooler']],
    ['?application_name=web&query_timeout=9', { application_name: 'web', query_timeout: 9 }, []],
  ])('%s', (parameters, options, warnings) => {
    expect(rewrite(parameters, {}, pooler)).toEqual([options, [...warnings].sort()])
  })

  test('the warning names the setting of the caller', () => {
    expect(rewrite('', { statementTimeoutMillis: 5_000 }, pooler)).toEqual([
      {},
      ['statementTimeoutMillis refused-by-pooler'],
    ])
  })
})

describe('TLS in pg', () => {
  const anyHost = { checkServerIdentity: expect.any(Function) }
  test.each<[parameters: string, ssl: unknown, warnings: string[]]>([
    ['', undefined, []],
    ['?sslmode=disable', false, []],
    ['?sslmode=verify-full', true, []],
    ['?sslmode=no-verify', { rejectUnauthorized: false }, []],
    ['?sslmode=require', true, ['sslmode stricter-tls']],
    ['?sslmode=prefer', true, ['sslmode stricter-tls']],
    ['?sslmode=verify-ca', true, ['sslmode stricter-tls']],
    ['?sslmode=require&uselibpqcompat=true', { rejectUnauthorized: false }, []],
    ['?sslmode=prefer&uselibpqcompat=true', { rejectUnauthorized: false }, []],
    ['?sslmode=require&uselibpqcompat=true&sslrootcert=ca', { ...anyHost, ca: 'read ca' }, []],
    ['?sslmode=verify-ca&uselibpqcompat=true&sslrootcert=ca', { ...anyHost, ca: 'read ca' }, []],
    ['?sslmode=verify-full&uselibpqcompat=true', true, []],
    ['?sslmode=require&sslaccept=accept_invalid_certs', { rejectUnauthorized: false }, []],
    ['?sslmode=require&sslaccept=strict', true, []],
    [
      '?sslrootcert=ca&sslcert=c&sslkey=k&sslpassword=p',
      { ca: 'read ca', cert: 'read c', key: 'read k', passphrase: 'p' },
      [],
    ],
    ['?sslaccept=strict&sslcert=ca', { ca: 'read ca' }, []],
    ['?sslmode=verify-full&sslrootcert=system', true, []],
    ['?ssl=true', true, []],
    ['?ssl=0', false, []],
    ['?ssl=false', false, []],
    ['?ssl=no-verify', { rejectUnauthorized: false }, []],
    ['?sslnegotiation=direct', true, []],
    ['?sslidentity=x.p12&sslaccept=strict', true, ['sslidentity ignored-by-driver']],
  ])('%s', (parameters, ssl, warnings) => {
    const [options, seen] = rewrite(parameters)
    expect([options.ssl, seen]).toEqual([ssl, [...warnings].sort()])
  })

  test('an explicit ssl is used, since there is no connectionString to override it', () => {
    const { options } = toPg(parseConnectionString('postgresql://db/x?sslmode=require'))
    expect({ ...options, ssl: { ca: 'mine' } }).toEqual({ host: 'db', database: 'x', ssl: { ca: 'mine' } })
  })

  test('files that are not read produce a warning', () => {
    const { options, warnings } = toPg(
      parseConnectionString('postgresql://db/?sslmode=verify-full&sslrootcert=/ca.pem'),
    )
    expect(options.ssl).toBe(true)
    expect(warnings).toMatchObject([{ code: 'file-not-read', parameter: 'sslrootcert' }])
  })

  test('an unknown mode is an error', () => {
    expect(() => rewrite('?sslmode=maybe')).toThrow('sslmode must be one of disable')
  })
})

describe('the address in pg', () => {
  test.each<[written: string, options: PgOptions, codes: string[]]>([
    [
      'postgresql://app:s3cret@[::1]:5433/x',
      { host: '::1', port: 5433, user: 'app', password: 's3cret', database: 'x' },
      [],
    ],
    ['postgresql://%2Ftmp/x', { host: '/tmp', database: 'x' }, []],
    ['postgresql://a:1,b:2/x', { host: 'a', port: 1, database: 'x' }, ['one-host-only']],
    ['postgresql:///x', { database: 'x' }, []],
    ['hostaddr=10.0.0.1', { host: '10.0.0.1' }, ['ignored-by-driver']],
  ])('%s', (written, options, codes) => {
    const rewritten = toPg(parseConnectionString(written))
    expect(rewritten.options).toEqual(options)
    expect([...rewritten.repairs, ...rewritten.warnings].map(({ code }) => code)).toEqual(codes)
  })

  test('the password is in the options, but hidden when they are printed', () => {
    const { options } = toPg(
      parseConnectionString('postgresql://app:s3cret@db?sslkey=k'),
      {},
      { readCertificate: () => 's3cret key' },
    )
    expect(options.password).toBe('s3cret')
    expect(`${inspect(options)} ${JSON.stringify({ options })}`).not.toContain('s3cret')
    expect({ ...options }).toEqual({ host: 'db', user: 'app', password: 's3cret', ssl: { key: 's3cret key' } })
  })
})
