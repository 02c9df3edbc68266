import fc from 'fast-check'
import type { ConnectionStringParts, HostAddress, UrlParameter } from '../../connection-string/index.ts'
import type { TopologyTraits } from '../../topology/index.ts'
import type { ConnectionSettings } from '../neutral/connection-settings.ts'

/** A text that occurs only in generated passwords, and in each of them. */
export const SECRET = 'sW0rdfish'

const NAMES = [
  ...['connection_limit', 'pool_timeout', 'connect_timeout', 'socket_timeout', 'pgbouncer', 'statement_cache_size'],
  ...['schema', 'sslmode', 'ssl', 'sslaccept', 'sslrootcert', 'sslcert', 'sslkey', 'sslidentity', 'uselibpqcompat'],
  ...['max', 'min', 'idle_timeout', 'max_lifetime', 'prepare', 'fetch_types', 'target_session_attrs', 'keepalives'],
  ...[
    'options',
    'statement_timeout',
    'lock_timeout',
    'search_path',
    'application_name',
    'channel_binding',
    'myext.foo',
  ],
  ...['connectionTimeoutMillis', 'idleTimeoutMillis', 'query_timeout', 'gssencmode', 'keepalives_idle', 'hostaddr'],
  ...['host', 'port', 'user', 'dbname', 'toString', '__proto__', 'constructor', 'nonsense'],
] as const

const VALUES = [
  '0',
  '1',
  '5',
  '30',
  '-1',
  '1.5',
  'true',
  'false',
  'require',
  'verify-full',
  'no-verify',
  'public',
  '5s',
] as const

const word: fc.Arbitrary<string> = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
const value: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...VALUES),
  fc.constantFrom(
    '-c statement_timeout=5s',
    'endpoint=ep-1 -c geqo=off',
    '-c a=b\\ c',
    '/tmp',
    'a,b',
    '1,2',
    'read-write',
  ),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
)
const parameter: fc.Arbitrary<UrlParameter> = fc.tuple(
  fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...NAMES) }, { weight: 1, arbitrary: word }),
  value,
)

const host: fc.Arbitrary<string> = fc.oneof(
  fc.domain(),
  fc.ipV4(),
  fc.ipV6(),
  fc.ipV6().map((address) => `${address}%eth0`),
  // A comma would separate two hosts in a parameter.
  word.map((name) => `/${name.replaceAll(',', '.')}`),
  fc.constantFrom('ep-a-pooler.eu.aws.neon.tech', 'aws-0-eu.pooler.supabase.com', 'x.postgres.database.azure.com'),
)
const address: fc.Arbitrary<HostAddress> = fc.record(
  { host, port: fc.oneof(fc.integer({ min: 1, max: 65_535 }), fc.constantFrom(5432, 6432, 6543, 25_061)) },
  { requiredKeys: ['host'] },
)

/** Parts of a connection string. Most parameters are known to some driver, with valid or invalid values. */
export const connectionParts: fc.Arbitrary<Required<ConnectionStringParts>> = fc.record({
  scheme: fc.constantFrom('postgres' as const, 'postgresql' as const),
  user: fc.option(word, { nil: undefined }),
  password: fc.option(fc.string({ unit: 'grapheme', maxLength: 20 }), { nil: undefined }),
  hosts: fc.array(address, { maxLength: 3 }),
  database: fc.option(word, { nil: undefined }),
  parameters: fc.array(parameter, { maxLength: 6 }),
})

const query: fc.Arbitrary<string> = fc
  .array(parameter, { maxLength: 6 })
  .map((parameters) => parameters.map((pair) => pair.map(encodeURIComponent).join('=')).join('&'))

/** Any text: noise, noise after a scheme, libpq keywords, sockets, and realistic URLs. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string().map((text) => `postgresql://${text}`),
  fc.string({ unit: fc.constantFrom(...'ab1%2Ff:@/?#[],=& \ud800') }).map((text) => `postgres://${text}`),
  fc.string({ unit: fc.constantFrom(...`ab1=' \\,/:`) }).map((text) => `host=${text}`),
  fc.string({ unit: fc.constantFrom(...'ab1%2F:@/?=&') }).map((text) => `socket:${text}`),
  fc.string().map((text) => `/${text}`),
  fc
    .tuple(fc.constantFrom('app@', 'app:pw@', ''), fc.constantFrom('db', '[::1]:5432', 'a:1,b'), query)
    .map(([user, hosts, parameters]) => `postgresql://${user}${hosts}/orders?${parameters}`),
  fc
    .array(parameter, { minLength: 1, maxLength: 5 })
    .map((parameters) =>
      parameters.map(([name, text]) => `${name} = '${text.replaceAll(/[\\']/g, '\\$&')}'`).join(' '),
    ),
)

const specials: fc.Arbitrary<string> = fc.string({ unit: fc.constantFrom(...`%/#:&=+ []'"\\ä$*`), maxLength: 6 })
const password: fc.Arbitrary<string> = fc
  .tuple(specials, fc.constantFrom('', '@', '?', '?a=', '/?a='), specials)
  .map(([before, middle, after]) => `${before}${middle}${SECRET}${after}`)

/** A connection string whose password contains {@link SECRET}: encoded, raw as users paste it, quoted, or in an invalid string. */
export const secretPassword: fc.Arbitrary<{ text: string }> = fc
  .tuple(password, fc.constantFrom('encoded', 'raw', 'keywords', 'socket', 'parameter', 'broken'), query)
  .map(([secret, how, parameters]) => {
    const encoded = encodeURIComponent(secret)
    const tail = `db.internal:5432/orders?${parameters}`
    switch (how) {
      case 'raw':
        return { text: `postgresql://app:${secret}@${tail}` }
      case 'keywords':
        return { text: `host=db user=app password='${secret.replaceAll(/[\\']/g, '\\$&')}' sslmode=require` }
      case 'socket':
        return { text: `socket://app:${encoded}@/tmp?${parameters}` }
      case 'parameter':
        return { text: `postgresql://app@db/orders?${parameters}&password=${encoded}&sslpassword=${encoded}&sslkey=k` }
      case 'broken':
        return { text: `postgresql://app:${encoded}@db:port/orders?${parameters}` }
      default:
        return { text: `postgresql://app:${encoded}@${tail}` }
    }
  })

const millis: fc.Arbitrary<number> = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 100_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(Infinity, 0.5, Number.NaN, -1) },
)

export const settings: fc.Arbitrary<ConnectionSettings> = fc.oneof(
  fc.constant({}),
  fc.record(
    {
      max: fc.integer({ min: 0, max: 50 }),
      min: fc.integer({ min: -1, max: 5 }),
      acquireTimeoutMillis: millis,
      connectTimeoutMillis: millis,
      idleTimeoutMillis: millis,
      maxLifetimeMillis: millis,
      queryTimeoutMillis: millis,
      statementTimeoutMillis: millis,
      applicationName: word,
    },
    { requiredKeys: [] },
  ),
)

export const topologies: fc.Arbitrary<TopologyTraits | undefined> = fc.option(
  fc.record({
    sharesServers: fc.boolean(),
    preparedStatements: fc.constantFrom('safe' as const, 'unsafe' as const, 'unknown' as const),
    refusesStartupParameters: fc.boolean(),
  }),
  { nil: undefined },
)
