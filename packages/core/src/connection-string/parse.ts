import { ConnectionString, type HostAddress, type Parameter } from './connection-string.ts'
import { ConnectionStringError, type ConnectionStringPart } from './connection-string-error.ts'

/**
 * Takes a `postgres:` or `postgresql:` URL apart: percent-encoded or raw special characters in the password, IPv6,
 * several hosts, Unix sockets (`postgresql://%2Fvar%2Frun/db`, or `?host=/var/run`).
 *
 * @throws {ConnectionStringError} names the part that cannot be read, never the password.
 * @example
 * parseConnectionString('postgresql://app:s3cret@db.internal/orders').database // 'orders'
 */
export function parseConnectionString(text: string): ConnectionString {
  const { scheme, rest } = splitScheme(text.trim())
  const { userInfo, hosts, path, query } = splitRest(rest)
  return new ConnectionString({
    scheme,
    ...parseUserInfo(userInfo),
    hosts: parseHosts(hosts),
    database: path === '' ? undefined : decode(path, 'database'),
    parameters: parseParameters(query),
  })
}

function splitScheme(text: string): { scheme: 'postgres' | 'postgresql'; rest: string } {
  const match = /^(postgres|postgresql):\/\//i.exec(text)
  if (match) return { scheme: match[1]?.toLowerCase() as 'postgres' | 'postgresql', rest: text.slice(match[0].length) }
  if (/^prisma(\+postgres)?:/i.test(text)) {
    throw new ConnectionStringError(
      'scheme',
      'prisma: and prisma+postgres: name a proxy of Prisma over HTTP, which pools by itself; give the direct postgresql: URL of the same database',
    )
  }
  const found = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]
  throw new ConnectionStringError(
    'scheme',
    text === '' ? 'it is empty' : `it starts with ${found ? `"${found}:"` : 'no scheme'}, not with postgresql://`,
  )
}

/**
 * Finds where user and password end and where the parameters begin. People paste passwords as they are, with `@ / ? #`
 * in them, so this goes by the last `@` before the parameters, not by the first `/`; the parameters begin at the first
 * `?` behind which there are only pairs, or no `@`.
 */
function splitRest(rest: string): { userInfo: string; hosts: string; path: string; query: string } {
  const question = [...rest.matchAll(/\?/g)].find(({ index }) => beginsParameters(rest.slice(index + 1)))?.index
  const beforeQuery = rest.slice(0, question)
  const at = beforeQuery.lastIndexOf('@')
  const address = beforeQuery.slice(at + 1)
  const slash = address.indexOf('/')
  return {
    userInfo: at < 0 ? '' : beforeQuery.slice(0, at),
    hosts: slash < 0 ? address : address.slice(0, slash),
    path: slash < 0 ? '' : address.slice(slash + 1),
    query: question === undefined ? '' : rest.slice(question + 1),
  }
}

function beginsParameters(text: string): boolean {
  return !text.includes('@') || /^[\w.-]+=[^&]*(&[\w.-]+=[^&]*)*$/.test(text)
}

function parseUserInfo(userInfo: string): { user: string | undefined; password: string | undefined } {
  const colon = userInfo.indexOf(':')
  const user = decode(colon < 0 ? userInfo : userInfo.slice(0, colon), 'user')
  return {
    user: user === '' ? undefined : user,
    password: colon < 0 ? undefined : decode(userInfo.slice(colon + 1), 'password'),
  }
}

function parseHosts(text: string): HostAddress[] {
  return text === '' ? [] : text.split(',').map(parseHost)
}

function parseHost(text: string): HostAddress {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/.exec(text)
  if (!match) {
    throw new ConnectionStringError('host', 'a host has a colon too many; write IPv6 addresses in [brackets]')
  }
  const host = decode(match[1] ?? match[2] ?? '', 'host')
  return match[3] === undefined ? { host } : { host, port: parsePort(match[3]) }
}

/** The text is not shown: where a raw password has misled the parser, it may be a piece of that. */
function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port >= 1 && port <= 65535) return port
  throw new ConnectionStringError(
    'port',
    'the port is not a number from 1 to 65535; if the password holds one of @ / ? # :, percent-encode it',
  )
}

function parseParameters(query: string): Parameter[] {
  if (query === '') return []
  return query.split('&').map((pair) => {
    const equals = pair.indexOf('=')
    if (equals < 1) throw new ConnectionStringError('parameters', 'a parameter behind the ? is not name=value')
    return [decode(pair.slice(0, equals), 'parameters'), decode(pair.slice(equals + 1), 'parameters')]
  })
}

/** Percent-decoding that takes a lone `%` as it is, as pg does. */
function decode(text: string, part: ConnectionStringPart): string {
  try {
    return decodeURIComponent(text.replaceAll(/%(?![0-9a-f]{2})/gi, '%25'))
  } catch (cause) {
    throw new ConnectionStringError(
      part,
      `the ${part} has percent-encoding that is not UTF-8 (write % itself as %25)`,
      {
        cause,
      },
    )
  }
}
