import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ConnectionString } from './connection-string.ts'
import { ConnectionStringError } from './connection-string-error.ts'
import type { ConnectionStringParts } from './connection-string-parts.ts'
import { parseConnectionString } from './parse.ts'

function partsOf(text: string): ConnectionStringParts {
  const { scheme, user, password, hosts, database, parameters } = parseConnectionString(text)
  return { scheme, user, password, hosts, database, parameters }
}

const host = [{ host: 'db' }]

describe('a valid connection string', () => {
  test.each<[text: string, parts: ConnectionStringParts]>([
    [
      'postgresql://app:s3cret@db.internal:5433/orders?sslmode=require',
      {
        scheme: 'postgresql',
        user: 'app',
        password: 's3cret',
        hosts: [{ host: 'db.internal', port: 5433 }],
        database: 'orders',
        parameters: [['sslmode', 'require']],
      },
    ],
    ['postgres://db', { scheme: 'postgres', hosts: host, database: undefined }],
    ['POSTGRESQL://db', { scheme: 'postgresql', hosts: host }],
    ['  postgres://db/orders\n', { hosts: host, database: 'orders' }],
    ['postgresql://', { user: undefined, password: undefined, hosts: [], database: undefined, parameters: [] }],
    ['postgresql:///orders', { hosts: [], database: 'orders' }],
    ['postgresql://app@db', { user: 'app', password: undefined }],
    ['postgresql://app:@db', { user: 'app', password: '' }],
    ['postgresql://:s3cret@db', { user: undefined, password: 's3cret' }],
    [
      'postgresql://db/?application_name=a',
      { hosts: host, database: undefined, parameters: [['application_name', 'a']] },
    ],
    [
      'postgresql://db?application_name=a',
      { hosts: host, database: undefined, parameters: [['application_name', 'a']] },
    ],
    [
      'postgresql://db/orders?a=&a=2',
      {
        parameters: [
          ['a', ''],
          ['a', '2'],
        ],
      },
    ],
    ['postgresql://db/orders?email=me@here', { hosts: host, parameters: [['email', 'me@here']] }],
    [
      'postgresql://db/orders? options = postgres://a:b@c',
      { hosts: host, parameters: [['options', 'postgres://a:b@c']] },
    ],
    ['postgresql://db/a@b', { user: undefined, hosts: host, database: 'a@b' }],
    ['postgresql:///a:b@c', { user: undefined, hosts: [], database: 'a:b@c' }],
    ['postgresql://app@db/a@b', { user: 'app', hosts: host, database: 'a@b' }],
    [
      'postgresql:// app : p w @ db : 5432 , db2 / orders ? application_name = a b ',
      {
        user: 'app',
        password: ' p w ',
        hosts: [{ host: 'db', port: 5432 }, { host: 'db2' }],
        database: 'orders',
        parameters: [['application_name', 'a b']],
      },
    ],
    ['postgresql://db:%35432', { hosts: [{ host: 'db', port: 5432 }] }],
  ])('%s', (text, parts) => {
    expect(partsOf(text)).toMatchObject(parts)
  })

  test.each([
    ['p@ssword', 'p@ssword'],
    ['p/ssword', 'p/ssword'],
    ['p?ssword', 'p?ssword'],
    ['p#ssword', 'p#ssword'],
    ['p:ssword', 'p:ssword'],
    ['p%ssword', 'p%ssword'],
    ['100%', '100%'],
    ['p@/?#:word', 'p@/?#:word'],
    ['p ssword', 'p ssword'],
    ['p[ss]word', 'p[ss]word'],
    ['p%40ssword', 'p@ssword'],
    ['p%2Fss%3Fword', 'p/ss?word'],
    ['p%25ssword', 'p%ssword'],
    ['pässwörd', 'pässwörd'],
    ['p%C3%A4ss', 'päss'],
  ])('a password written %s is %s', (written, password) => {
    const text = `postgresql://app:${written}@db:5432/orders?application_name=a@b`
    expect(partsOf(text)).toMatchObject({
      user: 'app',
      password,
      hosts: [{ host: 'db', port: 5432 }],
      database: 'orders',
    })
  })

  test.each([
    ['[::1]', [{ host: '::1' }]],
    ['[2001:db8::7]:6432', [{ host: '2001:db8::7', port: 6432 }]],
    ['[fe80::1%25eth0]:5432', [{ host: 'fe80::1%eth0', port: 5432 }]],
    ['a:1,b,c:3', [{ host: 'a', port: 1 }, { host: 'b' }, { host: 'c', port: 3 }]],
    [
      '[::1]:1,127.0.0.1:2',
      [
        { host: '::1', port: 1 },
        { host: '127.0.0.1', port: 2 },
      ],
    ],
    ['%2Fvar%2Frun%2Fpostgresql', [{ host: '/var/run/postgresql' }]],
    ['%2Ftmp:5433', [{ host: '/tmp', port: 5433 }]],
  ])('hosts written %s', (written, hosts) => {
    expect(partsOf(`postgresql://app:s3cret@${written}/orders`)).toMatchObject({ hosts, database: 'orders' })
  })

  test('the host parameter may be the directory of a socket', () => {
    expect(parseConnectionString('postgresql://app@/orders?host=/var/run').parameter('host')).toBe('/var/run')
  })
})

test.each(['postgresql', 'POSTGRES', 'pg', 'pgsql', 'tcp'])(
  'the scheme may be %s, as in pg and postgres.js',
  (scheme) => {
    const url = parseConnectionString(`${scheme}://app:s3cret@db:5433/orders`)
    expect(url).toMatchObject({
      user: 'app',
      password: 's3cret',
      hosts: [{ host: 'db', port: 5433 }],
      database: 'orders',
    })
    // Other parsers may support only this scheme.
    expect(url.href).toMatch(/^postgres(ql)?:/)
  },
)

describe('an invalid connection string', () => {
  test.each([
    ['', 'scheme', 'it is empty'],
    ['   ', 'scheme', 'it is empty'],
    ['localhost/orders', 'scheme', 'no scheme'],
    ['mysql://app:s3cretpassword@db/orders', 'scheme', '"mysql:"'],
    ['prisma://accelerate.prisma-data.net/?api_key=s3cretpassword', 'scheme', 'direct postgresql: URL'],
    ['prisma+postgres://localhost/?api_key=s3cretpassword', 'scheme', 'direct postgresql: URL'],
    ['postgresql://app:s3cretpassword@::1/orders', 'port', 'percent-encode'],
    ['postgresql://app:s3cretpassword@[::1/orders', 'host', '[brackets]'],
    ['postgresql://app:s3cretpassword@[]/orders', 'host', 'no IPv6 address'],
    ['postgresql://app%00:s3cretpassword@db/orders', 'user', 'NUL'],
    ['postgresql://app:s3cretpassword%00@db/orders', 'password', 'NUL'],
    ['postgresql://app:s3cretpassword@db%00/orders', 'host', 'NUL'],
    ['postgresql://app:s3cretpassword@db/orders%00user%00postgres', 'database', 'NUL'],
    ['postgresql://app:s3cretpassword@db/orders?a=%00', 'parameters', 'NUL'],
    ["host=db password='s3cretpassword\0'", 'parameters', 'NUL'],
    ['/tmp\0s3cretpassword', 'host', 'NUL'],
    ['postgresql://app:s3cretpassword@db:0/orders', 'port', '1 to 65535'],
    ['postgresql://app:s3cretpassword@db:65536/orders', 'port', '1 to 65535'],
    ['postgresql://app:s3cretpassword@db:five/orders', 'port', '1 to 65535'],
    ['postgresql://app:s3cretpassword/orders', 'port', 'percent-encode'],
    ['postgresql://app:s3cretpassword@db/orders?nonsense', 'parameters', 'name=value'],
    ['postgresql://app:s3cretpassword@db/orders?=x', 'parameters', 'name=value'],
    ['postgresql://app:s3cretpassword%ff@db/orders', 'password', 'not UTF-8'],
    ['postgresql://%ff:s3cretpassword@db/orders', 'user', 'not UTF-8'],
    ['postgresql://app:s3cretpassword@db/%ff', 'database', 'not UTF-8'],
  ])('%s: the error names the part', (text, part, problem) => {
    const error = errorOf(text)

    expect(error).toMatchObject({
      part,
      code: 'POOLGUARD_CONNECTION_STRING',
      message: expect.stringContaining(problem),
    })
    expect(inspect(error)).not.toContain('s3cretpassword')
  })
})

describe('any text', () => {
  test('throws only a ConnectionStringError, or is parsed and can be printed', () => {
    const anything = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string().map((text) => `postgresql://${text}`),
      fc.string({ unit: fc.constantFrom(...'ab1%2Ff:@/?#[],=& \ud800') }).map((text) => `postgres://${text}`),
    )
    fc.assert(
      fc.property(anything, (text) => {
        try {
          const parsed = parseConnectionString(text)
          expect(typeof `${parsed}${parsed.href}${JSON.stringify(parsed)}${inspect(parsed)}`).toBe('string')
        } catch (error) {
          expect(error).toBeInstanceOf(ConnectionStringError)
        }
      }),
      { seed: 1, numRuns: 2_000 },
    )
  })

  test('that was printed is parsed to the same parts', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 })
    const hosts = fc.array(
      fc.record(
        {
          host: fc.oneof(
            fc.domain(),
            fc.ipV4(),
            fc.ipV6(),
            fc.ipV6().map((address) => `${address}%eth0`),
            text.map((name) => `/${name}`),
          ),
          port: fc.integer({ min: 1, max: 65_535 }),
        },
        { requiredKeys: ['host'] },
      ),
      { maxLength: 3 },
    )
    const parts = fc.record({
      scheme: fc.constantFrom('postgres' as const, 'postgresql' as const),
      user: fc.option(text, { nil: undefined }),
      password: fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined }),
      hosts,
      database: fc.option(text, { nil: undefined }),
      parameters: fc.array(fc.tuple(text, fc.string({ unit: 'grapheme' }))),
    })
    fc.assert(
      fc.property(parts, (parts) => {
        expect(partsOf(new ConnectionString(parts).href)).toEqual(parts)
      }),
      { seed: 2, numRuns: 1_000 },
    )
  })

  test('never shows its password, neither printed nor in an error', () => {
    const secret = fc.string({ unit: 'grapheme-ascii', minLength: 12, maxLength: 30 })
    fc.assert(
      fc.property(secret, fc.constantFrom('encoded', 'raw', 'broken'), (password, how) => {
        const encoded = encodeURIComponent(password)
        const written = how === 'encoded' ? encoded : password
        const text = `postgresql://app:${written}@db:${how === 'broken' ? 'port' : '5432'}/orders?sslpassword=${encoded}`
        let shown: string
        try {
          const parsed = parseConnectionString(text)
          shown = `${parsed} ${JSON.stringify(parsed)} ${inspect(parsed)} ${inspect({ parsed }, { depth: 9 })}`
        } catch (error) {
          shown = `${inspect(error)} ${JSON.stringify(error)}`
        }
        expect(shown).not.toContain(password)
        expect(shown).not.toContain(encoded)
      }),
      { seed: 3, numRuns: 1_000 },
    )
  })
})

function errorOf(text: string): unknown {
  try {
    parseConnectionString(text)
  } catch (error) {
    return error
  }
  throw new Error('the text was parsed')
}
