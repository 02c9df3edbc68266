import { describe, expect, test } from 'vitest'
import type { ConnectionWishes } from './connection-wishes.ts'
import { parseConnectionString } from './parse.ts'
import { toLibpq } from './to-libpq.ts'
import type { TopologyTraits } from './topology-traits.ts'

const pooler: TopologyTraits = { sharesServers: true, preparedStatements: 'safe', refusesStartupParameters: true }

function rewrite(parameters: string, wishes?: ConnectionWishes, topology?: TopologyTraits): [string, string[]] {
  const { url, warnings } = toLibpq(parseConnectionString(`postgresql://app@db/x${parameters}`), wishes, topology)
  return [
    decodeURIComponent(url.href.replace('postgresql://app@db/x', '')),
    warnings.map(({ code, parameter }) => `${parameter} ${code}`),
  ]
}

describe('libpq', () => {
  test.each<[parameters: string, expected: string, warnings: string[]]>([
    ['', '', []],
    ['?connect_timeout=3&application_name=a', '?connect_timeout=3&application_name=a', []],
    ['?connection_limit=5', '', ['connection_limit refused-by-driver']],
    [
      '?pgbouncer=true&statement_cache_size=0',
      '',
      ['pgbouncer refused-by-driver', 'statement_cache_size refused-by-driver'],
    ],
    ['?target_session_attrs=read-write&keepalives=1', '?target_session_attrs=read-write&keepalives=1', []],
    ['?channel_binding=require&gssencmode=disable', '?channel_binding=require&gssencmode=disable', []],
    ['?statement_timeout=5s', '?options=-c statement_timeout=5s', ['statement_timeout translated']],
    ['?schema=shop', '?options=-c search_path="shop"', ['schema translated']],
    ['?schema=shop&search_path=a', '?options=-c search_path=a', ['search_path translated']],
    [
      '?sslmode=verify-full&sslrootcert=/ca&sslcert=/c&sslkey=/k&sslpassword=p',
      '?sslmode=verify-full&sslrootcert=/ca&sslcert=/c&sslkey=/k&sslpassword=p',
      [],
    ],
    ['?sslmode=no-verify', '?sslmode=require', ['sslmode translated']],
    ['?ssl=true', '?sslmode=require', ['ssl translated']],
    ['?sslmode=require&sslaccept=strict', '?sslmode=verify-full', ['sslaccept translated']],
    [
      '?sslmode=require&sslaccept=accept_invalid_certs&sslidentity=/c.p12',
      '?sslmode=require',
      ['sslidentity refused-by-driver'],
    ],
    ['?uselibpqcompat=true&sslmode=require', '?sslmode=require', []],
  ])('%s becomes %s', (parameters, expected, warnings) => {
    expect(rewrite(parameters)).toEqual([expected, warnings])
  })

  test('the wishes that one connection can have', () => {
    expect(
      rewrite('', { max: 5, acquireTimeoutMillis: 1, connectTimeoutMillis: 2_500, applicationName: 'cli' }),
    ).toEqual(['?connect_timeout=3&application_name=cli', []])
    expect(rewrite('', { statementTimeoutMillis: 5_000 })).toEqual(['?options=-c statement_timeout=5000', []])
  })

  test('a pooler gets no startup parameters', () => {
    expect(rewrite('?statement_timeout=5s&options=endpoint%3Dx', {}, pooler)).toEqual([
      '?options=endpoint=x',
      ['statement_timeout refused-by-pooler'],
    ])
  })

  test.each([
    ['postgresql://a:1,[::1]:2/x', 'postgresql://a:1,[::1]:2/x'],
    ['host=/tmp dbname=x user=app', 'postgresql://app@%2Ftmp/x'],
    ['postgresql://app:p%40ss@db/x?host=other', 'postgresql://app:p%40ss@other/x'],
  ])('%s becomes %s', (written, expected) => {
    expect(toLibpq(parseConnectionString(written)).url.href).toBe(expected)
  })
})
