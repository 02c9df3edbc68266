import { ConnectionStringError, type ConnectionStringPart } from './connection-string-error.ts'
import type { UrlParameter } from './connection-string-parts.ts'

/** Percent-decodes a text and keeps a lone `%`, as pg does. */
export function decode(text: string, part: ConnectionStringPart): string {
  try {
    return decodeURIComponent(text.replaceAll(/%(?![0-9a-f]{2})/gi, '%25'))
  } catch (cause) {
    const problem = `the ${part} has percent-encoding that is not UTF-8 (write % itself as %25)`
    throw new ConnectionStringError(part, problem, { cause })
  }
}

/** Removes blanks that are not percent-encoded from both ends, as libpq does since PostgreSQL 17. */
export function trimBlanks(text: string): string {
  let [start, end] = [0, text.length]
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d)
}

/** The error does not show the text: it may be a piece of a password with unencoded special characters. */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port >= 1 && port <= 65535) return port
  throw new ConnectionStringError(
    'port',
    'the port is not a number from 1 to 65535; if the password contains one of @ / ? # :, percent-encode it',
  )
}

/**
 * Decodes the parameters after the `?` as in any URL: a `+` is a space, as for pg, postgres.js and Prisma (libpq alone reads a
 * plus), and an empty pair is ignored.
 */
export function parseParameters(query: string): UrlParameter[] {
  return query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=')
      if (equals < 0 || trimBlanks(pair.slice(0, equals)) === '')
        throw new ConnectionStringError('parameters', 'a parameter after the ? is not name=value')
      return [decodeParameter(pair.slice(0, equals)), decodeParameter(pair.slice(equals + 1))]
    })
}

function decodeParameter(text: string): string {
  return decode(trimBlanks(text).replaceAll('+', ' '), 'parameters')
}

/** The user and the password of a URL, separated by a colon. Blanks around a password belong to it. */
export function parseUserInfo(userInfo: string): { user: string | undefined; password: string | undefined } {
  const colon = userInfo.indexOf(':')
  const user = decode(trimBlanks(colon < 0 ? userInfo : userInfo.slice(0, colon)), 'user')
  return {
    user: user === '' ? undefined : user,
    password: colon < 0 ? undefined : decode(userInfo.slice(colon + 1), 'password'),
  }
}
