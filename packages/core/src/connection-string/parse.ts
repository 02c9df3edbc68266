import { ConnectionString } from './connection-string.ts'
import { ConnectionStringError } from './connection-string-error.ts'
import type { HostAddress } from './connection-string-parts.ts'
import { decode, parseParameters, parsePort, parseUserInfo, trimBlanks } from './decode.ts'
import { looksLikeKeywords, parseKeywords } from './parse-keywords.ts'
import { parseSocketPath, parseSocketUrl } from './parse-socket.ts'

/**
 * Parses a connection string in any form that libpq, pg, postgres.js or Prisma accepts:
 *
 * - a `postgres:` or `postgresql:` URL, or one with `pg:`, `pgsql:` or `tcp:`, which pg and postgres.js accept too. The password
 *   may contain percent-encoded or raw special characters; IPv6, several hosts and Unix sockets
 *   (`postgresql://%2Fvar%2Frun/db`, or `?host=/var/run`) are supported;
 * - libpq's keywords, `host=db port=5432 dbname=orders`
 *   (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING);
 * - pg's sockets, `socket:/var/run/postgresql?db=orders` and `/var/run/postgresql orders`
 *   (https://node-postgres.com/features/connecting).
 *
 * @throws {ConnectionStringError} if a part is invalid. The message names the part, never the password.
 * @example
 * parseConnectionString('postgresql://app:s3cret@db.internal/orders').database // 'orders'
 */
export function parseConnectionString(text: string): ConnectionString {
  const trimmed = text.trim().toWellFormed()
  if (trimmed.startsWith('/')) return parseSocketPath(trimmed)
  if (/^socket:/i.test(trimmed)) return parseSocketUrl(trimmed)
  // The last value may end with an escaped blank.
  if (looksLikeKeywords(trimmed)) return parseKeywords(text.trimStart().toWellFormed())
  return parseUrl(trimmed)
}

function parseUrl(text: string): ConnectionString {
  const { scheme, rest } = splitScheme(text)
  const { userInfo, hosts, path, query } = splitRest(rest)
  return new ConnectionString({
    scheme,
    ...parseUserInfo(userInfo),
    hosts: parseHosts(hosts),
    database: decode(trimBlanks(path), 'database') || undefined,
    parameters: parseParameters(query),
  })
}

/** The error shows only these: another text before a colon may be a user or a token. */
const KNOWN_SCHEME =
  /^(?:jdbc|postgres|postgresql|postgis|cockroachdb|mysql|mariadb|mongodb(?:\+srv)?|redis|sqlite|sqlserver|file|libsql|https?):/i

function splitScheme(text: string): { scheme: 'postgres' | 'postgresql'; rest: string } {
  const match = /^(postgres|postgresql|pg|pgsql|tcp):\/\//i.exec(text)
  if (match) {
    const scheme = match[1]?.toLowerCase() === 'postgres' ? 'postgres' : 'postgresql'
    return { scheme, rest: text.slice(match[0].length) }
  }
  if (/^prisma(\+postgres)?:/i.test(text)) {
    throw new ConnectionStringError(
      'scheme',
      'prisma: and prisma+postgres: URLs lead to an HTTP proxy of Prisma, which has its own pool; use the direct postgresql: URL of the database',
    )
  }
  const found = KNOWN_SCHEME.exec(text)?.[0]
  throw new ConnectionStringError(
    'scheme',
    text === '' ? 'it is empty' : `it starts with ${found ? `"${found}"` : 'no scheme'}, not with postgresql://`,
  )
}

/**
 * Splits the user and password, the hosts, the path and the parameters. Users paste passwords with unencoded `@ / ? #`. So if there
 * may be a password, it ends at the last `@` before the parameters, not at the first `/`, and the parameters start at the first `?`
 * that only pairs, or no `@`, follow. If the first `/` comes before any `:` and `?`, there is no password.
 */
function splitRest(rest: string): { userInfo: string; hosts: string; path: string; query: string } {
  const mayHavePassword = !/^[^/:?]*\//.test(rest)
  const question = mayHavePassword ? findParameters(rest) : rest.indexOf('?')
  const beforeQuery = question < 0 ? rest : rest.slice(0, question)
  const at = (mayHavePassword ? beforeQuery : (beforeQuery.split('/')[0] ?? '')).lastIndexOf('@')
  const address = beforeQuery.slice(at + 1)
  const slash = address.indexOf('/')
  return {
    userInfo: at < 0 ? '' : beforeQuery.slice(0, at),
    hosts: slash < 0 ? address : address.slice(0, slash),
    path: slash < 0 ? '' : address.slice(slash + 1),
    query: question < 0 ? '' : rest.slice(question + 1),
  }
}

/** The index of the `?` before the parameters, or -1. */
function findParameters(rest: string): number {
  for (let index = rest.indexOf('?'); index >= 0; index = rest.indexOf('?', index + 1)) {
    if (startsParameters(rest.slice(0, index), rest.slice(index + 1))) return index
  }
  return -1
}

/** The text before the `?` must be valid alone: `app:p?x=y@db` contains a password, not the port `p`. */
function startsParameters(before: string, text: string): boolean {
  if (!text.includes('@')) return true
  if (!/^ *[\w.-]+ *=[^&]*(& *[\w.-]+ *=[^&]*)*$/.test(text)) return false
  const hosts = before.includes('@') ? [] : (before.split('/')[0] ?? '').split(',')
  return hosts.every((host) => /^(\[[^\]]*\]|[^:]*)(:\d{1,5})?$/.test(host))
}

function parseHosts(text: string): HostAddress[] {
  const hosts = text.split(',').map(parseHost)
  return hosts.length === 1 && hosts[0]?.host === '' && hosts[0].port === undefined ? [] : hosts
}

function parseHost(text: string): HostAddress {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/s.exec(text)
  if (!match) {
    throw new ConnectionStringError('host', 'a host contains more than one colon; write IPv6 addresses in [brackets]')
  }
  const name = trimBlanks(match[1] ?? match[2] ?? '')
  if (name === '' && match[1] !== undefined) {
    throw new ConnectionStringError('host', 'the [brackets] contain no IPv6 address')
  }
  const host = decode(name, 'host')
  const port = decode(trimBlanks(match[3] ?? ''), 'port')
  return port === '' ? { host } : { host, port: parsePort(port) }
}
