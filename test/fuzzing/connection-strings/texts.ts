import fc from 'fast-check'
import { withMutations } from '../mutate.ts'

/** Characters that mean something somewhere in a connection string. */
// biome-ignore format: a table
const SPECIAL = [
  '@', ':', '/', '?', '#', '&', '=', ',', '%', '+', '[', ']', ' ', "'", '"', '\\', '.', ';', '\t', '\n', '\v', '*', '!', '~',
  '%2F', '%3A', '%40', '%20', '%2C', '%25', '%00', '%', '%2', '%zz', '%C3%A4', '%ff', '%2f', '+', 'é', '🙂', '\u00a0', '//', "''", '\\\\',
]

const atom = fc.constantFrom('a', 'b', 'db', '1', '9', 'x-y', 'p.q', '_', 'Z')
const special = fc.constantFrom(...SPECIAL)
/** Mostly plain, so that a text is often valid as a whole. */
const piece = fc
  .array(fc.oneof({ weight: 9, arbitrary: atom }, { weight: 1, arbitrary: special }), { maxLength: 4 })
  .map((parts) => parts.join(''))

const host = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('db', 'db.internal', '10.0.0.7', 'localhost', 'DB') },
  { weight: 2, arbitrary: fc.constantFrom('[::1]', '[2001:db8::7]', '[fe80::1%25eth0]', '%2Fvar%2Frun', '%2ftmp', '') },
  { weight: 1, arbitrary: fc.constantFrom('::1', '[::1', '[]', '[db]', '/tmp', 'a%2Cb', 'a b', '@abstract') },
  { weight: 1, arbitrary: piece },
)
const port = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('', ':5432', ':6432', ':1', ':65535') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(':', ':0', ':65536', ':05432', ':5432x', ': 5432', ':+5432', ':-1', ':1e3', ':%35'),
  },
)

/** Keywords of libpq 18, aliases, parameters of other drivers, and misspellings. */
// biome-ignore format: a table
const KEYWORDS = [
  'host', 'port', 'user', 'password', 'dbname', 'hostaddr', 'sslmode', 'ssl', 'application_name', 'options', 'sslrootcert', 'sslpassword',
  'connect_timeout', 'target_session_attrs', 'load_balance_hosts', 'passfile', 'service', 'client_encoding', 'channel_binding',
]
const OTHER_KEYWORDS = [
  'schema',
  'pgbouncer',
  'Host',
  'HOST',
  'db',
  'database',
  'username',
  'a',
  '',
  'ho%73t',
  'host ',
  ' port',
  'x.y',
]
const keyword = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...KEYWORDS) },
  { weight: 1, arbitrary: fc.constantFrom(...OTHER_KEYWORDS) },
)
// biome-ignore format: a table
const VALUES = [
  '', 'db', 'a,b', 'a,,b', '/tmp', '/tmp,db', '::1', '5432', '1,2', '5432,', ' 5432 ', '0', 'x', 'true', '1', 'require', 'a b', 'a+b', 'a%20b',
  'a=b', 'a&b', '-c geqo=off', 'postgresql://u:p@h/d', "it's", 'back\\slash',
]
const value = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...VALUES) }, { weight: 1, arbitrary: piece })

const parameter = fc
  .tuple(
    keyword,
    fc.oneof(
      { weight: 20, arbitrary: fc.constant('=') },
      { weight: 1, arbitrary: fc.constantFrom('', '==', ' = ', '%3D') },
    ),
    fc.oneof({ weight: 4, arbitrary: value.map(encodeURIComponent) }, { weight: 1, arbitrary: value }),
  )
  .map((parts) => parts.join(''))
const query = fc
  .tuple(
    fc.array(parameter, { maxLength: 3 }),
    fc.oneof(
      { weight: 20, arbitrary: fc.constant('&') },
      { weight: 1, arbitrary: fc.constantFrom('&&', ';', '?', ' & ') },
    ),
  )
  .map(([parameters, separator]) => (parameters.length === 0 ? '' : `?${parameters.join(separator)}`))

const scheme = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom('postgresql://', 'postgres://') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('POSTGRES://', 'postgres:/', 'postgres:', 'pg://', 'postgresql:///', ' postgres://'),
  },
)
const userInfo = fc.oneof(
  fc.constant(''),
  fc.tuple(piece, fc.constantFrom('', ':', ':pw', ':p%40w'), fc.constant('@')).map((parts) => parts.join('')),
  fc.tuple(piece, fc.constant(':'), piece, fc.constant('@')).map((parts) => parts.join('')),
)
const path = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('', '/', '/orders', '/a%20b', '/Orders') },
  { weight: 1, arbitrary: piece.map((name) => `/${name}`) },
)

const url = fc
  .tuple(
    scheme,
    userInfo,
    fc.array(
      fc.tuple(host, port).map((parts) => parts.join('')),
      { minLength: 1, maxLength: 3 },
    ),
    path,
    query,
  )
  .map(([start, user, hosts, database, parameters]) => `${start}${user}${hosts.join(',')}${database}${parameters}`)

const space = fc.oneof(
  { weight: 8, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: fc.constantFrom(' ', '  ', '\t', '\n', '\v', '\u00a0') },
)
const written = fc.oneof(
  { weight: 2, arbitrary: value.map((text) => `'${text.replaceAll(/['\\]/g, '\\$&')}'`) },
  { weight: 2, arbitrary: value.map((text) => text.replaceAll(/[\s'\\]/g, '\\$&')) },
  { weight: 1, arbitrary: value },
  { weight: 1, arbitrary: value.map((text) => `'${text}'`) },
)
const pair = fc.tuple(keyword, space, fc.constant('='), space, written).map((parts) => parts.join(''))
const keywords = fc
  .tuple(
    space,
    fc.array(pair, { minLength: 1, maxLength: 4 }),
    fc.constantFrom(' ', ' ', ' ', '  ', '\n', '', ','),
    space,
  )
  .map(([before, pairs, separator, after]) => `${before}${pairs.join(separator)}${after}`)

/** C texts end at a NUL, and libpq reads UTF-8, which cannot contain a lone surrogate. */
function asCText(text: string): string {
  return text.replaceAll('\0', '').toWellFormed()
}

/** Connection strings in libpq's two forms, mostly valid, and mutations of these. */
export const connectionStrings: fc.Arbitrary<string> = withMutations(
  fc.oneof({ weight: 3, arbitrary: url }, { weight: 2, arbitrary: keywords }),
  SPECIAL,
).map(asCText)
