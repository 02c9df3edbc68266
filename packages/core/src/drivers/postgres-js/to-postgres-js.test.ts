import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { parseConnectionString } from '../../connection-string/index.ts'
import type { TopologyTraits } from '../../topology/index.ts'
import type { ConnectionSettings } from '../neutral/connection-settings.ts'
import { type PostgresJsOptions, toPostgresJs } from './to-postgres-js.ts'

const direct: TopologyTraits = { sharesServers: false, preparedStatements: 'safe', refusesStartupParameters: false }
const safe: TopologyTraits = { sharesServers: true, preparedStatements: 'safe', refusesStartupParameters: true }
const unsafe: TopologyTraits = { ...safe, preparedStatements: 'unsafe' }
const unknown: TopologyTraits = { ...safe, preparedStatements: 'unknown' }

function rewrite(
  parameters: string,
  settings?: ConnectionSettings,
  topology?: TopologyTraits,
): [PostgresJsOptions, string[]] {
  const connection = parseConnectionString(`postgresql://db/${parameters}`)
  const { options, warnings, repairs } = toPostgresJs(connection, settings, {
    topology,
    readCertificate: (path) => `read ${path}`,
  })
  const { host, port, ...rest } = options
  expect([host, port]).toEqual([['db'], [5432]])
  return [rest, [...repairs, ...warnings].map(({ code, parameter }) => `${parameter} ${code}`).sort()]
}

describe('connection settings in postgres.js', () => {
  test.each<[settings: ConnectionSettings, options: PostgresJsOptions, warnings: string[]]>([
    [{}, {}, []],
    [{ max: 5 }, { max: 5 }, []],
    [{ idleTimeoutMillis: 20_500 }, { idle_timeout: 21 }, []],
    [{ idleTimeoutMillis: Infinity }, { idle_timeout: 0 }, []],
    [{ connectTimeoutMillis: 5_000 }, { connect_timeout: 5 }, []],
    [{ maxLifetimeMillis: 60_000 }, { max_lifetime: 60 }, ['maxLifetimeMillis lifetime-without-jitter']],
    [{ maxLifetimeMillis: Infinity }, { max_lifetime: 0 }, []],
    [{ applicationName: 'web' }, { connection: { application_name: 'web' } }, []],
    [{ statementTimeoutMillis: 5_000 }, { connection: { statement_timeout: '5000' } }, []],
    [{ acquireTimeoutMillis: 1 }, {}, ['acquireTimeoutMillis not-in-this-driver']],
    [{ queryTimeoutMillis: 1 }, {}, ['queryTimeoutMillis not-in-this-driver']],
    [{ min: 1 }, {}, ['min not-in-this-driver']],
    [{ min: 0, acquireTimeoutMillis: Infinity }, {}, []],
  ])('%o becomes %o', (settings, options, warnings) => {
    expect(rewrite('', settings)).toEqual([options, [...warnings].sort()])
  })
})

describe('prepared statements and fetched types in postgres.js', () => {
  test.each<[parameters: string, topology: TopologyTraits | undefined, options: PostgresJsOptions, warnings: string[]]>(
    [
      ['', undefined, {}, []],
      ['?prepare=false', undefined, { prepare: false }, []],
      ['?pgbouncer=true', undefined, { prepare: false }, ['pgbouncer translated']],
      ['', direct, { prepare: true }, []],
      ['', safe, { prepare: true, fetch_types: false }, []],
      ['', unsafe, { prepare: false, fetch_types: false }, []],
      ['', unknown, { prepare: false, fetch_types: false }, []],
      ['', { ...direct, preparedStatements: 'unsafe' }, { prepare: false }, []],
      ['', { ...direct, preparedStatements: 'unknown' }, {}, []],
      ['?prepare=true', unsafe, { prepare: false, fetch_types: false }, []],
      ['?prepare=false', safe, { prepare: false, fetch_types: false }, ['prepare prepared-statements-off']],
      [
        '?pgbouncer=true',
        safe,
        { prepare: true, fetch_types: false },
        ['pgbouncer flag-not-needed', 'pgbouncer translated'],
      ],
      ['?fetch_types=true', safe, { prepare: true, fetch_types: true }, []],
    ],
  )('%s at %o', (parameters, topology, options, warnings) => {
    expect(rewrite(parameters, {}, topology)).toEqual([options, [...warnings].sort()])
  })
})

describe('URL parameters in postgres.js', () => {
  test.each<[parameters: string, options: PostgresJsOptions, warnings: string[]]>([
    ['?max=3', { max: 3 }, ['max translated']],
    ['?connection_limit=5', { max: 5 }, ['connection_limit translated']],
    ['?idle_timeout=20&connect_timeout=5', { idle_timeout: 20, connect_timeout: 5 }, []],
    ['?pool_timeout=20', {}, ['pool_timeout refused-by-server', 'acquireTimeoutMillis not-in-this-driver']],
    ['?schema=shop', { connection: { search_path: '"shop"' } }, ['schema translated']],
    ['?statement_cache_size=0', {}, ['statement_cache_size refused-by-server']],
    ['?channel_binding=require', {}, ['channel_binding refused-by-server']],
    ['?gssencmode=disable&nonsense=1', {}, ['gssencmode refused-by-server', 'nonsense refused-by-server']],
    ['?keepalives_idle=30', { keep_alive: 30 }, ['keepalives_idle translated']],
    [
      '?fallback_application_name=web',
      { connection: { application_name: 'web' } },
      ['fallback_application_name translated'],
    ],
    ['?target_session_attrs=read-write', { target_session_attrs: 'read-write' }, []],
    ['?target_session_attrs=any', {}, ['target_session_attrs refused-by-driver']],
    [
      '?statement_timeout=5s&search_path=a&myext.foo=1',
      { connection: { statement_timeout: '5s', search_path: 'a', 'myext.foo': '1' } },
      [],
    ],
    ['?options=-c geqo%3Doff endpoint%3Dx', { connection: { options: 'endpoint=x -c geqo=off' } }, []],
    ['?application_name=web', { connection: { application_name: 'web' } }, []],
  ])('%s', (parameters, options, warnings) => {
    expect(rewrite(parameters)).toEqual([options, [...warnings].sort()])
  })

  test.each<[parameters: string, warnings: string[]]>([
    ['?statement_timeout=5s', ['statement_timeout refused-by-pooler']],
    ['?options=-c geqo%3Doff', ['options refused-by-pooler']],
    ['?schema=shop', ['schema refused-by-pooler']],
  ])('%s is not sent through a pooler', (parameters, warnings) => {
    expect(rewrite(parameters, {}, safe)).toEqual([{ prepare: true, fetch_types: false }, [...warnings].sort()])
  })
})

describe('TLS in postgres.js', () => {
  test.each<[parameters: string, ssl: unknown, warnings: string[]]>([
    ['', undefined, []],
    ['?sslmode=disable', false, []],
    ['?sslmode=prefer', 'prefer', []],
    ['?sslmode=allow', 'allow', []],
    ['?sslmode=require', 'require', []],
    ['?sslmode=verify-full', 'verify-full', []],
    ['?sslmode=verify-ca', { checkServerIdentity: expect.any(Function) }, ['sslmode translated']],
    ['?sslmode=no-verify', { rejectUnauthorized: false }, ['sslmode translated']],
    ['?sslmode=verify-full&sslrootcert=ca', { ca: 'read ca' }, []],
    ['?sslmode=require&sslrootcert=ca', { ca: 'read ca', checkServerIdentity: expect.any(Function) }, []],
    ['?sslmode=require&sslcert=c&sslkey=k', { cert: 'read c', key: 'read k', rejectUnauthorized: false }, []],
    ['?sslmode=require&sslaccept=strict', 'verify-full', []],
    ['?sslmode=require&sslaccept=accept_invalid_certs', { rejectUnauthorized: false }, []],
    ['?sslrootcert=system', 'verify-full', []],
    ['?ssl=true', true, []],
    ['?ssl=false', false, []],
  ])('%s', (parameters, ssl, warnings) => {
    const [options, seen] = rewrite(parameters)
    expect([options.ssl, seen]).toEqual([ssl, [...warnings].sort()])
  })
})

describe('the address in postgres.js', () => {
  test.each<[written: string, options: PostgresJsOptions, codes: string[]]>([
    ['postgresql://[::1]:5433/a%20b', { host: ['::1'], port: [5433], database: 'a b' }, []],
    ['postgresql://a:1,b/x', { host: ['a', 'b'], port: [1, 5432], database: 'x' }, []],
    ['postgresql://%2Ftmp:5433/x', { path: '/tmp/.s.PGSQL.5433', port: [5433], database: 'x' }, []],
    ['postgresql://@/x?host=/tmp/', { path: '/tmp/.s.PGSQL.5432', port: [5432], database: 'x' }, []],
    ['postgresql://a,%2Ftmp/x', { host: ['a'], port: [5432], database: 'x' }, ['one-host-only']],
    ['postgresql://app:1%25@db', { host: ['db'], port: [5432], user: 'app', password: '1%' }, []],
    ['postgresql:///x', { database: 'x' }, []],
  ])('%s', (written, options, codes) => {
    const rewritten = toPostgresJs(parseConnectionString(written))
    expect(rewritten.options).toEqual(options)
    expect([...rewritten.repairs, ...rewritten.warnings].map(({ code }) => code)).toEqual(codes)
  })

  test('the password is hidden when the options are printed', () => {
    const { options } = toPostgresJs(parseConnectionString('postgresql://app:s3cret@db'))
    expect(options.password).toBe('s3cret')
    expect(`${inspect(options)} ${JSON.stringify(options)}`).not.toContain('s3cret')
  })
})
