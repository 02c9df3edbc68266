import { describe, expect, test } from 'vitest'
import { parseConnectionString } from '../../connection-string/index.ts'
import type { TopologyTraits } from '../../topology/index.ts'
import type { ConnectionSettings } from '../neutral/connection-settings.ts'
import { toPrismaEngine } from './to-prisma-engine.ts'

const direct: TopologyTraits = { sharesServers: false, preparedStatements: 'safe', refusesStartupParameters: false }
const session: TopologyTraits = { ...direct, refusesStartupParameters: true }
/** PgBouncer >= 1.21 in transaction mode with max_prepared_statements > 0. */
const safe: TopologyTraits = { sharesServers: true, preparedStatements: 'safe', refusesStartupParameters: true }
const unsafe: TopologyTraits = { ...safe, preparedStatements: 'unsafe' }
const unknown: TopologyTraits = { ...safe, preparedStatements: 'unknown' }
const resets: TopologyTraits = { ...direct, preparedStatements: 'unsafe' }

function rewrite(parameters: string, settings?: ConnectionSettings, topology?: TopologyTraits): [string, string[]] {
  const { url, warnings, repairs } = toPrismaEngine(
    parseConnectionString(`postgresql://app@db/x${parameters}`),
    settings,
    { topology },
  )
  return [
    decodeURIComponent(url.href.replace('postgresql://app@db/x', '')),
    [...repairs, ...warnings].map(({ code, parameter }) => `${parameter} ${code}`).sort(),
  ]
}

describe("connection settings in Prisma's engine", () => {
  test.each<[settings: ConnectionSettings, parameters: string]>([
    [{}, ''],
    [{ max: 5 }, '?connection_limit=5'],
    [{ acquireTimeoutMillis: 10_000 }, '?pool_timeout=10'],
    [{ acquireTimeoutMillis: 1_200 }, '?pool_timeout=2'],
    [{ acquireTimeoutMillis: 0 }, '?pool_timeout=1'],
    [{ acquireTimeoutMillis: Infinity }, '?pool_timeout=0'],
    [{ connectTimeoutMillis: 5_000 }, '?connect_timeout=5'],
    [{ queryTimeoutMillis: 30_000 }, '?socket_timeout=30'],
    [{ idleTimeoutMillis: 60_000 }, '?max_idle_connection_lifetime=60'],
    [{ maxLifetimeMillis: 1_800_000 }, '?max_connection_lifetime=1800'],
    [{ applicationName: 'web' }, '?application_name=web'],
    [{ statementTimeoutMillis: 5_000 }, '?options=-c statement_timeout=5000'],
    [{ lockTimeoutMillis: Infinity }, '?options=-c lock_timeout=0'],
    [
      { max: 2, connectTimeoutMillis: 1, statementTimeoutMillis: 0.2 },
      '?connection_limit=2&connect_timeout=1&options=-c statement_timeout=1',
    ],
  ])('%o becomes %s', (settings, parameters) => {
    expect(rewrite('', settings)).toEqual([parameters, []])
  })

  test('the settings of the caller override the URL', () => {
    expect(rewrite('?connection_limit=5', { max: 7 })).toEqual(['?connection_limit=7', ['connection_limit overridden']])
    expect(rewrite('?connection_limit=5', { max: 5 })).toEqual(['?connection_limit=5', []])
  })

  test('min is not supported', () => {
    expect(rewrite('', { min: 2 })).toEqual(['', ['min not-in-this-driver']])
  })
})

describe("the pooler flags of Prisma's engine", () => {
  test.each<[parameters: string, topology: TopologyTraits | undefined, expected: string, warnings: string[]]>([
    ['', undefined, '', []],
    ['?pgbouncer=true', undefined, '?pgbouncer=true', []],
    ['?pgbouncer=false', undefined, '', []],
    ['?statement_cache_size=20', undefined, '?statement_cache_size=20', []],
    ['', direct, '', []],
    ['?pgbouncer=true', direct, '', ['pgbouncer flag-not-needed']],
    ['?pgbouncer=true', session, '', ['pgbouncer flag-not-needed']],
    ['?pgbouncer=true', safe, '', ['pgbouncer flag-not-needed']],
    ['', safe, '', []],
    ['', unsafe, '?pgbouncer=true', []],
    ['', unknown, '?pgbouncer=true', []],
    ['?pgbouncer=true&statement_cache_size=0', unsafe, '?pgbouncer=true', []],
    ['?statement_cache_size=50', unsafe, '?pgbouncer=true', ['statement_cache_size ignored-by-driver']],
    ['', resets, '?statement_cache_size=0', []],
    ['?statement_cache_size=0', safe, '', ['statement_cache_size prepared-statements-off']],
    ['?statement_cache_size=50', safe, '?statement_cache_size=50', []],
    ['?schema=public', direct, '?schema=public', []],
    ['?schema=shop', direct, '?schema=shop', []],
    ['?schema=public', safe, '', ['schema refused-by-pooler']],
    ['?schema=shop', safe, '?pgbouncer=true&schema=shop', ['pgbouncer flag-kept']],
    ['?schema=shop', session, '?pgbouncer=true&schema=shop', ['pgbouncer flag-kept']],
    ['?schema=shop', unsafe, '?pgbouncer=true&schema=shop', []],
  ])('%s with %o becomes %s', (parameters, topology, expected, warnings) => {
    expect(rewrite(parameters, {}, topology)).toEqual([expected, [...warnings].sort()])
  })
})

describe("other URL parameters in Prisma's engine", () => {
  test.each<[parameters: string, topology: TopologyTraits | undefined, expected: string, warnings: string[]]>([
    [
      '?max=5&idle_timeout=20',
      undefined,
      '?connection_limit=5&max_idle_connection_lifetime=20',
      ['max translated', 'idle_timeout translated'],
    ],
    ['?connectionTimeoutMillis=2500', undefined, '?pool_timeout=3', ['connectionTimeoutMillis translated']],
    ['?statement_timeout=5s', undefined, '?options=-c statement_timeout=5s', ['statement_timeout translated']],
    ['?statement_timeout=5s', unsafe, '?pgbouncer=true', ['statement_timeout refused-by-pooler']],
    ['?options=-c lock_timeout=1', unsafe, '?pgbouncer=true', ['options refused-by-pooler']],
    ['?options=endpoint%3Dep-1 -c lock_timeout=1', safe, '?options=endpoint=ep-1', ['options refused-by-pooler']],
    ['?options=-c TimeZone=UTC', safe, '?options=-c TimeZone=UTC', []],
    ['?application_name=web&channel_binding=require', undefined, '?application_name=web&channel_binding=require', []],
    ['?fallback_application_name=web', undefined, '?application_name=web', ['fallback_application_name translated']],
    [
      '?target_session_attrs=any&gssencmode=disable',
      undefined,
      '',
      ['target_session_attrs ignored-by-driver', 'gssencmode ignored-by-driver'],
    ],
    ['?sslmode=require', undefined, '?sslmode=require', []],
    ['?sslmode=disable', undefined, '?sslmode=disable', []],
    ['?sslmode=allow', undefined, '?sslmode=prefer', ['sslmode translated']],
    [
      '?sslmode=verify-full&sslrootcert=/ca.pem',
      undefined,
      '?sslmode=require&sslaccept=strict&sslcert=/ca.pem',
      ['sslmode translated'],
    ],
    ['?sslmode=verify-full&sslrootcert=system', undefined, '?sslmode=require&sslaccept=strict', ['sslmode translated']],
    ['?sslmode=no-verify', undefined, '?sslmode=require&sslaccept=accept_invalid_certs', ['sslmode translated']],
    ['?sslmode=require&sslcert=/ca.pem', undefined, '?sslmode=require&sslcert=/ca.pem', []],
    ['?sslmode=require&sslrootcert=/ca.pem', undefined, '?sslmode=require&sslaccept=strict&sslcert=/ca.pem', []],
    ['?ssl=true', undefined, '?sslmode=require', ['ssl translated']],
    [
      '?sslaccept=strict&sslcert=/ca.pem&sslidentity=/c.p12&sslpassword=x',
      undefined,
      '?sslaccept=strict&sslcert=/ca.pem&sslidentity=/c.p12&sslpassword=x',
      [],
    ],
    ['?sslcert=/c.pem&sslkey=/k.pem', undefined, '', ['sslcert ignored-by-driver']],
  ])('%s becomes %s', (parameters, topology, expected, warnings) => {
    expect(rewrite(parameters, {}, topology)).toEqual([expected, [...warnings].sort()])
  })

  test.each([
    ['postgresql://app@%2Ftmp:5433/x', 'postgresql://app@localhost:5433/x?host=%2Ftmp', []],
    ['postgresql://app@/x?host=/tmp', 'postgresql://app@localhost/x?host=%2Ftmp', []],
    ['postgresql:///x', 'postgresql://localhost/x', []],
    ['postgresql://a:1,b:2/x', 'postgresql://a:1/x', ['one-host-only']],
    ['postgresql://db/a%20b', 'postgresql://db/a%20b', ['database-name-encoded']],
  ])('%s becomes %s', (written, expected, codes) => {
    const { url, warnings, repairs } = toPrismaEngine(parseConnectionString(written))
    expect([url.href, [...repairs, ...warnings].map(({ code }) => code)]).toEqual([expected, codes])
  })
})
