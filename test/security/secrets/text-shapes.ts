/** A form in which a text that poolguard gets contains a secret. */
export interface SecretShape {
  readonly name: string
  /** All of it is secret; random characters, so that no piece of it occurs anywhere else. */
  readonly secret: string
  readonly text: string
}

/** A port on which no server listens: connecting fails at once. */
export const NOWHERE = '127.0.0.1:1'

const SECRET = 'Zx7qPw3nKv9tRb5mJd2hYc8g'
const HALF = SECRET.length / 2
const encode = encodeURIComponent

/** A secret with a character in its middle. */
function split(by: string): string {
  return `${SECRET.slice(0, HALF)}${by}${SECRET.slice(HALF)}`
}

const SPECIAL = [
  '/',
  '?',
  '#',
  '@',
  ':',
  '&',
  '=',
  '%',
  '+',
  ',',
  ';',
  '[',
  ']',
  '(',
  '{',
  '|',
  '!',
  '$',
  '~',
  '\\',
  '^',
]
const QUOTES = [' ', "'", '"', '`', "it's ", '\t']

const PEM = (secret: string) =>
  `-----BEGIN PRIVATE KEY-----\n${secret}\n${[...secret].reverse().join('')}\n-----END PRIVATE KEY-----\n`
const JWT = `eyJhbGciOiJIUzI1NiJ9.${Buffer.from(`{"sub":"${SECRET}"}`).toString('base64url')}.Zq4wXk8vNp2sTj6b`
const SIGNATURE = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'
const IAM = `db.eu-west-1.rds.amazonaws.com:5432/?Action=connect&DBUser=app&X-Amz-Credential=AKIA%2F20260101&X-Amz-Signature=${SIGNATURE}`

function shape(name: string, text: string, secret: string = SECRET): SecretShape {
  return { name, secret, text }
}

const IN_PASSWORD = [...SPECIAL, ...QUOTES].flatMap((by) => [
  shape(`password with ${JSON.stringify(by)}`, `postgres://app:${split(by)}@${NOWHERE}/db`, split(by)),
  shape(`password with ${JSON.stringify(by)}, encoded`, `postgres://app:${encode(split(by))}@${NOWHERE}/db`, split(by)),
])

const IN_USER = ['/', '?', '#', '@', ':', '?k=v&x=', '/x?k=v@y'].map((by) =>
  shape(`user name with ${by}`, `postgres://us${by}er:${SECRET}@${NOWHERE}/db`),
)

const SCHEMES = [
  ...['mysql', 'mariadb', 'pgsql', 'pg', 'tcp', 'postgis', 'cockroachdb', 'redis', 'mongodb+srv', 'https', 'socket'],
  ...['jdbc:postgresql', 'postgresql+asyncpg', 'prisma', 'prisma+postgres', 'POSTGRES', 'postgres '],
].map((scheme) => shape(`${scheme}://`, `${scheme}://app:${SECRET}@${NOWHERE}/db`))

const BROKEN_URLS = [
  shape('one slash', `postgres:/app:${SECRET}@${NOWHERE}/db`),
  shape('no slash', `postgres:app:${SECRET}@${NOWHERE}/db`),
  shape('three slashes', `postgres:///app:${SECRET}@${NOWHERE}/db`),
  shape('no scheme', `app:${SECRET}@${NOWHERE}/db`),
  shape('no scheme, two slashes', `//app:${SECRET}@${NOWHERE}/db`),
  shape('no scheme, one slash', `/app:${SECRET}@${NOWHERE}/db`),
  shape('no user', `postgres://:${SECRET}@${NOWHERE}/db`),
  shape('no host', `postgres://app:${SECRET}@`),
  shape('no @', `postgres://app:${SECRET}`),
  shape('no @, with a database', `postgres://app:${SECRET}/db`),
  shape('password as a database', `postgres://${NOWHERE}/app:${SECRET}`),
  shape('two @ and a database', `postgres://app:x@y/${SECRET}@${NOWHERE}/db`),
  shape('digits and a slash', `postgres://app:1234/${SECRET}@${NOWHERE}/db`),
  shape('digits, a slash and a ?', `postgres://app:1234/${SECRET}?k=v@${NOWHERE}/db`),
  shape('a slash and a ? behind a user name with @', `postgres://app@server:12/${SECRET}?k=v@${NOWHERE}/db`),
  shape('a ? that begins pairs', `postgres://app:x?${SECRET}=y&z=1@${NOWHERE}/db`),
  shape('bad port', `postgres://app:${SECRET}@127.0.0.1:port/db`),
  shape('bad encoding', `postgres://app:%ff${SECRET}@${NOWHERE}/db`),
  shape('in quotes', `"postgres://app:${SECRET}@${NOWHERE}/db"`),
  shape('in single quotes', `'postgres://app:${SECRET}@${NOWHERE}/db'`),
  shape('in angle brackets', `<postgres://app:${SECRET}@${NOWHERE}/db>`),
  shape('blanks around', `  postgres://app:${SECRET}@${NOWHERE}/db\n`),
  shape('URL-encoded', encode(`postgres://app:${SECRET}@${NOWHERE}/db`)),
  shape('URL-encoded with a special password', encode(`postgres://app:${split('/')}@${NOWHERE}/db`), split('/')),
  shape('URL-encoded twice', encode(encode(`postgres://app:${SECRET}@${NOWHERE}/db`))),
  shape('encoded colon', `postgres://app%3A${SECRET}@${NOWHERE}/db`),
  shape('two URLs', `postgres://app:x@${NOWHERE}/db,postgres://app:${SECRET}@${NOWHERE}/db`),
]

const ADDRESSES = [
  shape('Azure', `postgres://app@server:${SECRET}@${NOWHERE}/db`),
  shape('Azure, encoded', `postgres://app%40server:${SECRET}@${NOWHERE}/db`),
  shape('several hosts', `postgres://app:${SECRET}@${NOWHERE},127.0.0.1:2/db`),
  shape('IPv6', `postgres://app:${SECRET}@[::1]:1/db`),
  shape('IPv6 without brackets', `postgres://app:${SECRET}@::1:1/db`),
  shape('socket in the host', `postgres://app:${SECRET}@%2Fnowhere/db`),
  shape('socket in a parameter', `postgres://app:${SECRET}@/db?host=/nowhere`),
  shape('socket path', `/nowhere/app:${SECRET}@/ db`),
  shape('socket path with a password', `/nowhere db password=${SECRET}`),
]

const PARAMETERS = [
  shape('password parameter', `postgres://app@${NOWHERE}/db?password=${SECRET}`),
  shape('password parameter with &', `postgres://app@${NOWHERE}/db?password=ab&${SECRET}=1`),
  shape('password parameter with @', `postgres://app@${NOWHERE}/db?password=${split('@')}`, split('@')),
  shape('unknown parameter', `postgres://app:x@${NOWHERE}/db?token=${SECRET}`),
  shape('unknown parameter without a value', `postgres://app:x@${NOWHERE}/db?${SECRET}`),
  shape('known parameter', `postgres://app:x@${NOWHERE}/db?sslmode=${SECRET}`),
  shape('number parameter', `postgres://app:x@${NOWHERE}/db?connect_timeout=${SECRET}`),
  shape('application name', `postgres://app:x@${NOWHERE}/db?application_name=postgres://a:${SECRET}@b`),
  shape('nested URL', `postgres://app:x@${NOWHERE}/db?url=postgres://a:${SECRET}@b/c`),
  shape('nested URL, encoded', `postgres://app:x@${NOWHERE}/db?url=${encode(`postgres://a:${SECRET}@b/c`)}`),
  shape('options', `postgres://app:x@${NOWHERE}/db?options=-c app.key=${SECRET}`),
  shape('options, encoded', `postgres://app:x@${NOWHERE}/db?options=-c%20app.key%3D${SECRET}`),
  shape('sslpassword', `postgres://app:x@${NOWHERE}/db?sslpassword=${SECRET}`),
  shape('PEM in sslkey', `postgres://app:x@${NOWHERE}/db?sslmode=require&sslkey=${PEM(SECRET)}`),
  shape('PEM in sslkey, encoded', `postgres://app:x@${NOWHERE}/db?sslmode=require&sslkey=${encode(PEM(SECRET))}`),
  shape(
    'PEM in sslcert',
    `postgres://app:x@${NOWHERE}/db?sslmode=require&sslcert=${encode(PEM(SECRET))}&sslkey=/nowhere.key`,
  ),
  shape('PEM in sslrootcert', `postgres://app:x@${NOWHERE}/db?sslmode=verify-full&sslrootcert=${encode(PEM(SECRET))}`),
  shape('PEM in sslpassword', `postgres://app:x@${NOWHERE}/db?sslpassword=${encode(PEM(SECRET))}`),
  shape('IAM token, raw', `postgres://app:${IAM}@${NOWHERE}/db`, SIGNATURE),
  shape('IAM token, encoded', `postgres://app:${encode(IAM)}@${NOWHERE}/db`, SIGNATURE),
  shape('JWT as the password', `postgres://app:${JWT}@${NOWHERE}/db`, JWT),
  shape('JWT as the user', `postgres://${JWT}@${NOWHERE}/db`, JWT),
  shape('JWT as the database', `postgres://app@${NOWHERE}/${JWT}`, JWT),
  shape('prisma api_key', `prisma://accelerate.prisma-data.net/?api_key=${SECRET}`),
  shape('prisma+postgres api_key', `prisma+postgres://localhost:51213/?api_key=${JWT}`, JWT),
  shape('JDBC', `jdbc:postgresql://${NOWHERE}/db?user=app&password=${SECRET}`),
  shape('SQLite key', `file:app.db?key=${SECRET}`),
  shape('SQLite hexkey', `file:///tmp/app.db?hexkey=${SECRET}`),
  shape('libSQL token', `libsql://db.turso.io?authToken=${SECRET}`),
]

const KEYWORDS = [
  shape('libpq', `host=127.0.0.1 port=1 user=app password=${SECRET}`),
  shape('libpq with escapes', `host=127.0.0.1 port=1 password=${split('\\ ')}`, split(' ')),
  shape('libpq in quotes', `host=127.0.0.1 port=1 password='${split(' ')}'`, split(' ')),
  shape('libpq with escaped quotes', `host=127.0.0.1 port=1 password='${split("\\'")}'`, split("'")),
  shape('libpq with blanks around =', `host = 127.0.0.1 port = 1 password = ${SECRET}`),
  shape('libpq with a blank in the password', `host=127.0.0.1 port=1 password=${split(' ')}`, split(' ')),
  shape('libpq with an unclosed quote', `host=127.0.0.1 port=1 password='${split(' ')}`, split(' ')),
  shape('libpq with an unclosed quote first', `password='${split(' ')} host=127.0.0.1`, split(' ')),
  shape('libpq with an unknown word', `host=127.0.0.1 port=1 secret=${SECRET}`),
]

const FILES = [
  shape('a line of .pgpass', `127.0.0.1:1:db:app:${SECRET}`),
  shape('two lines of .pgpass', `*:*:*:app:${SECRET}\n127.0.0.1:1:db:app:${SECRET}`),
  shape('a line of .env', `DATABASE_URL=postgres://app:${SECRET}@${NOWHERE}/db`),
  shape('a line of .env with a password', `PGPASSWORD=${SECRET}`),
  shape('a shell command', `PGPASSWORD=${SECRET} psql -h 127.0.0.1`),
  shape('an export', `export PGPASSWORD='${split(' ')}'`, split(' ')),
  shape('YAML', `host: 127.0.0.1\npassword: ${SECRET}`),
  shape('JSON', JSON.stringify({ host: '127.0.0.1', user: 'app', password: SECRET })),
  shape('JSON with a token', JSON.stringify({ host: '127.0.0.1', secretKey: SECRET })),
  shape('an object as inspect shows it', `{ host: '127.0.0.1', password: '${SECRET}' }`),
  shape('an authorization header', `Authorization: Bearer ${SECRET}`),
  shape('ADO.NET', `Server=127.0.0.1;Port=1;User Id=app;Password=${SECRET};`),
  shape('PEM', PEM(SECRET)),
  shape('a token', SECRET),
  shape('a token with a colon', `${SECRET}:x`),
  shape('a JWT', JWT, JWT),
]

const LETTERS = [
  ['unicode', 'пароль🔑'],
  ['line end', '\n'],
  ['carriage return', '\r'],
  ['escape sequence', '\u001b[31m'],
  ['NUL', '\u0000'],
  ['C1 control', '\u009b'],
  ['bidi mark', '\u202e'],
  ['line separator', '\u2028'],
].flatMap(([name, by = '']) => [
  shape(`password with ${name}`, `postgres://app:${split(by)}@${NOWHERE}/db`, split(by)),
  shape(`password with ${name}, encoded`, `postgres://app:${encode(split(by))}@${NOWHERE}/db`, split(by)),
])

const LONG = [5_000, 20_000].map((length) => {
  const secret = SECRET.repeat(Math.ceil(length / SECRET.length))
  return shape(`password of ${length} characters`, `postgres://app:${secret}@${NOWHERE}/db`, secret)
})

/** All of them, each under a name of its own. */
export const TEXT_SHAPES: readonly SecretShape[] = [
  shape('a URL', `postgres://app:${SECRET}@${NOWHERE}/db`),
  ...ADDRESSES,
  ...IN_PASSWORD,
  ...IN_USER,
  ...SCHEMES,
  ...BROKEN_URLS,
  ...PARAMETERS,
  ...KEYWORDS,
  ...FILES,
  ...LETTERS,
  ...LONG,
]
