import { ConnectionString } from './connection-string.ts'
import { ConnectionStringError } from './connection-string-error.ts'
import { decode, parseParameters, parseUserInfo } from './decode.ts'

/**
 * Parses pg's URL of a Unix socket, `socket://user:password@/var/run/postgresql?db=orders&encoding=utf8`: the path is the
 * directory of the socket, `db` the database, and `encoding` the client encoding. `port` may be a parameter.
 */
export function parseSocketUrl(text: string): ConnectionString {
  const [, authority, written = '', query = ''] = /^socket:(\/\/)?([^?]*)(?:\?(.*))?$/is.exec(text) ?? []
  const at = authority === undefined || written.startsWith('/') ? -1 : written.lastIndexOf('@')
  const userInfo = at < 0 ? '' : written.slice(0, at)
  const path = written.slice(at + 1)
  const host = decode(path, 'host')
  if (!host.startsWith('/')) {
    throw new ConnectionStringError(
      'host',
      'the socket: URL has no directory; write socket:/var/run/postgresql?db=name',
    )
  }
  const parameters = parseParameters(query)
  return new ConnectionString({
    ...parseUserInfo(userInfo),
    hosts: [{ host }],
    database: parameters.findLast(([name]) => name === 'db')?.[1] || undefined,
    parameters: parameters
      .filter(([name]) => name !== 'db')
      .map(([name, value]) => [name === 'encoding' ? 'client_encoding' : name, value]),
  })
}

/** Parses pg's path of a Unix socket's directory, followed by a space and the database: `/var/run/postgresql orders`. */
export function parseSocketPath(text: string): ConnectionString {
  const [host = '', database] = text.split(/\s+/)
  return new ConnectionString({ hosts: [{ host }], database })
}
