import { mayHoldSecret } from '../describe-value.ts'
import { HIDDEN } from '../redact.ts'
import { UnicodePattern } from '../unicode-pattern.ts'
import type { ConnectionStringParts } from './connection-string-parts.ts'
import { isHostName } from './host-name.ts'
import { HARMLESS_PARAMETERS, isKnownParameter, isTailOfSecret } from './parameter-kinds.ts'

/** PostgreSQL truncates longer names (NAMEDATALEN). */
const PLAIN_NAME = new UnicodePattern(String.raw`^[\p{L}\p{N}_.$+~ -]{1,63}$`)
/** Azure's `user@server` has an `@`. */
const PLAIN_USER = new UnicodePattern(String.raw`^[\p{L}\p{N}_.$+~ -]+(?:@[\p{L}\p{N}_.$+~ -]+)?$`)

/** A parameter whose value is a URL may contain an `@`. */
const URL_VALUE = /^(?:postgres(?:ql)?|https?):\/\//i

/**
 * The parts of a connection string that are safe to show: hosts, ports, database and role if they are plain names, and
 * parameters whose values are harmless. Any other part may be a piece of an unencoded password.
 */
export function shownParts(parts: ConnectionStringParts, doubtful: boolean = isDoubtful(parts)): ConnectionStringParts {
  const { scheme, user, password, hosts = [], database, parameters = [] } = parts
  const hidesHosts = doubtful || mayBeToken(parts)
  return {
    ...(scheme !== undefined && { scheme }),
    user: shownUser(user),
    password: password === undefined ? undefined : HIDDEN,
    hosts: hosts.map((address) => ({
      ...address,
      host: hidesHosts ? HIDDEN : shownHost(address.host),
    })),
    database: doubtful && database !== undefined ? HIDDEN : shownDatabase(database),
    parameters: parameters.map(([name, value], index) => {
      const mayBePassword = doubtful && !isKnownParameter(name)
      if (mayBePassword || isTailOfSecret(parameters, index) || mayHoldSecret(name)) return [HIDDEN, HIDDEN]
      return [name, HARMLESS_PARAMETERS.has(name) && !mayHoldSecret(value) ? value : HIDDEN]
    }),
  }
}

/** In `token/with/slash@db`, which has no password, the host and the database may be a token that stands for the user. */
function mayBeToken({ user, database }: ConnectionStringParts): boolean {
  return user === undefined && database?.includes('@') === true
}

export function shownHost(host: string): string {
  return isHostName(host) ? host : HIDDEN
}

export function shownUser(user: string | undefined): string | undefined {
  return user === undefined || (user.length <= 127 && PLAIN_USER.test(user) && user.split('@').every(isShort))
    ? user
    : HIDDEN
}

export function shownDatabase(database: string | undefined): string | undefined {
  return database === undefined || PLAIN_NAME.test(database) ? database : HIDDEN
}

function isShort(name: string): boolean {
  return name.length <= 63
}

/**
 * Whether the parser may have misread the text, because there is an `@` in an unknown parameter, as in `user:12/34?x=y@host`,
 * where `12/34?x=y` is the password and not a port and a database.
 */
export function isDoubtful({ parameters = [] }: ConnectionStringParts): boolean {
  return parameters.some(([name, value]) => !isKnownParameter(name) && value.includes('@') && !URL_VALUE.test(value))
}
