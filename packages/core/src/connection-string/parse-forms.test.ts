import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { ConnectionStringParts } from './connection-string-parts.ts'
import { normalizeTarget } from './normalize-target.ts'
import { parseConnectionString } from './parse.ts'

describe('the other forms of a connection string', () => {
  test.each<[text: string, href: string]>([
    ['/var/run/postgresql', 'postgresql://%2Fvar%2Frun%2Fpostgresql'],
    ['/var/run/postgresql orders', 'postgresql://%2Fvar%2Frun%2Fpostgresql/orders'],
    ['socket:/var/run/postgresql?db=orders', 'postgresql://%2Fvar%2Frun%2Fpostgresql/orders'],
    [
      'socket://app:s3cret@/var/run?db=orders&encoding=utf8&application_name=a',
      'postgresql://app:s3cret@%2Fvar%2Frun/orders?client_encoding=utf8&application_name=a',
    ],
    ['socket:///tmp', 'postgresql://%2Ftmp'],
    ['SOCKET:/tmp?db=a%20b', 'postgresql://%2Ftmp/a%20b'],
    ['host=db port=5433 dbname=orders user=app', 'postgresql://app@db:5433/orders'],
    ['host = db  dbname = orders', 'postgresql://db/orders'],
    ["host=db password='s3 cr\\'et' user='a b'", 'postgresql://a%20b:s3%20cr%27et@db'],
    ['password=a\\ b\\\\c', 'postgresql://:a%20b%5Cc@'],
    ["dbname='' host=db", 'postgresql://db'],
    ["host='db'port=1 user=a\\ ", 'postgresql://a%20@db:1'],
    ['host=db\nuser=a\u00a0b \t', 'postgresql://a%C2%A0b@db'],
    ['host=a,b port=1,2 target_session_attrs=read-write', 'postgresql://a:1,b:2/?target_session_attrs=read-write'],
    ['host=a,b port=5433', 'postgresql://a:5433,b:5433'],
    ['host=/tmp dbname=x', 'postgresql://%2Ftmp/x'],
    ['hostaddr=10.0.0.1 dbname=x', 'postgresql:///x?hostaddr=10.0.0.1'],
    ["options='-c statement_timeout=5s' host=db", 'postgresql://db/?options=-c%20statement_timeout%3D5s'],
    ['postgresql://app:?x=y@db/orders', 'postgresql://app:%3Fx%3Dy@db/orders'],
    ['postgresql://app:/a?x=y@db/orders', 'postgresql://app:%2Fa%3Fx%3Dy@db/orders'],
    ['postgresql://a:1,[::1]/x?to=me@here', 'postgresql://a:1,[::1]/x?to=me%40here'],
    ['postgresql://a%3A%5D/x', 'postgresql://[a:%5D]/x'],
    ['postgresql://:/x', 'postgresql:///x'],
    ['postgresql://db:/orders', 'postgresql://db/orders'],
    ['postgresql://db/orders?a=b&', 'postgresql://db/orders?a=b'],
    ['postgresql://db/orders?options=-c+x', 'postgresql://db/orders?options=-c%20x'],
    ['postgresql://db/orders?options=-c%20geqo%3Doff', 'postgresql://db/orders?options=-c%20geqo%3Doff'],
  ])('%s is parsed as %s', (text, href) => {
    expect(parseConnectionString(text).href).toBe(href)
    expect(parseConnectionString(href).href).toBe(href)
  })

  test.each([
    ['socket:tmp?db=s3cretpassword', 'host', 'has no directory'],
    ['socket://app:s3cretpassword@tmp', 'host', 'has no directory'],
    ["host=db password='s3cretpassword", 'parameters', 'single quotes'],
    ["host=db password='s3cretpassword'x", 'parameters', 'single quotes'],
    ['host=db s3cretpassword', 'parameters', 'single quotes'],
    ['host=db port=s3cretpassword', 'port', '1 to 65535'],
    ['host=a,b port=1,2,3 password=s3cretpassword', 'port', '2 hosts and 3 ports'],
    ['jdbc:postgresql://db?password=s3cretpassword', 'scheme', '"jdbc:"'],
  ])('%s: the error names the part', (text, part, problem) => {
    let error: unknown
    try {
      parseConnectionString(text)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({ part, message: expect.stringContaining(problem) })
    expect(inspect(error)).not.toContain('s3cretpassword')
  })
})

describe('a target among the parameters', () => {
  test.each<[text: string, parts: ConnectionStringParts]>([
    ['postgresql://app@/x?host=/tmp', { hosts: [{ host: '/tmp' }], user: 'app', database: 'x' }],
    ['postgresql://db/x?port=5433', { hosts: [{ host: 'db', port: 5433 }] }],
    ['postgresql:///x?port=5433', { hosts: [{ host: '', port: 5433 }] }],
    [
      'postgresql://a:1/x?host=b&user=u&password=p&dbname=y',
      { hosts: [{ host: 'b', port: 1 }], user: 'u', password: 'p', database: 'y' },
    ],
    ['postgresql://a:1/x?host=', { hosts: [{ host: 'a', port: 1 }] }],
    ['postgresql:///x?host=a,b&port=,2', { hosts: [{ host: 'a' }, { host: 'b', port: 2 }] }],
  ])('the parameters of %s replace the parts of the URL', (text, parts) => {
    const target = normalizeTarget(parseConnectionString(text))
    expect(target).toMatchObject(parts)
    expect(target.parameters).toEqual([])
  })
})
