import { inspect } from '../node-util.ts'
import { ConnectionStringError, type ConnectionStringPart } from './connection-string-error.ts'
import type { ConnectionStringParts, HostAddress, UrlParameter } from './connection-string-parts.ts'
import { isDoubtful, shownParts } from './shown-parts.ts'

/**
 * A parsed PostgreSQL connection string, the result of {@link parseConnectionString}.
 *
 * `toString`, `JSON.stringify` and `console.log` hide the password and the value of every parameter that is not known to be
 * harmless. Only `href` contains them.
 */
export class ConnectionString implements ConnectionStringParts {
  readonly scheme: 'postgres' | 'postgresql'
  readonly user: string | undefined
  declare readonly password: string | undefined
  readonly hosts: readonly HostAddress[]
  readonly database: string | undefined
  readonly parameters: readonly UrlParameter[]
  #isDoubtful: boolean

  /** @throws {ConnectionStringError} if a part contains a NUL character. */
  constructor(parts: ConnectionStringParts) {
    rejectNul(parts)
    this.scheme = parts.scheme ?? 'postgresql'
    this.user = parts.user
    Object.defineProperty(this, 'password', { value: parts.password, enumerable: false })
    this.hosts = parts.hosts ?? []
    this.database = parts.database
    this.parameters = parts.parameters ?? []
    this.#isDoubtful = isDoubtful(parts)
  }

  /** The value of a parameter. If the parameter occurs twice, the last value counts, as in libpq. */
  parameter(name: string): string | undefined {
    return this.parameters.findLast(([key]) => key === name)?.[1]
  }

  /** A copy with some parts replaced. */
  with(parts: ConnectionStringParts): ConnectionString {
    const copy = new ConnectionString({ ...this, password: this.password, ...parts })
    copy.#isDoubtful ||= this.#isDoubtful
    return copy
  }

  /** A copy without the named parameters. */
  without(...names: readonly string[]): ConnectionString {
    return this.with({ parameters: this.parameters.filter(([key]) => !names.includes(key)) })
  }

  /** The complete connection string for a driver, including the password, percent-encoded where needed. */
  get href(): string {
    return print(this)
  }

  /** The parts that are safe to show, with `***` in place of the hidden ones. See {@link toString}. */
  shown(): ConnectionStringParts {
    return shownParts({ ...this, password: this.password }, this.#isDoubtful)
  }

  /** The connection string with `***` for the password, the values of unknown parameters, and parts that are not plain names. */
  toString(): string {
    return print(this.shown())
  }

  toJSON(): string {
    return this.toString()
  }
}

/** PostgreSQL's protocol ends a text at a NUL: what follows it would be read as further startup parameters. */
function rejectNul({ user, password, hosts = [], database, parameters = [] }: ConnectionStringParts): void {
  const texts = { user, password, host: hosts.map(({ host }) => host), database, parameters: parameters.flat() }
  for (const [part, text] of Object.entries(texts)) {
    if (![text].flat().some((each) => each?.includes('\0'))) continue
    throw new ConnectionStringError(part as ConnectionStringPart, `the ${part} contains a NUL character (%00)`)
  }
}

/** console.log must not list the fields, because parameters can be secrets too. */
Object.defineProperty(ConnectionString.prototype, inspect.custom, {
  value(this: ConnectionString) {
    return `ConnectionString <${this.toString()}>`
  },
})

/** Prints the parts as a URL that every PostgreSQL driver parses in the same way: all special characters are percent-encoded. */
export function print(parts: ConnectionStringParts): string {
  const authority = `${printUser(parts)}${(parts.hosts ?? []).map(printHost).join(',')}`
  const database = parts.database === undefined ? '' : `/${encode(parts.database)}`
  const parameters = (parts.parameters ?? []).map(([name, value]) => `${encode(name)}=${encode(value)}`)
  const query = parameters.length === 0 ? '' : `?${parameters.join('&')}`
  return `${parts.scheme ?? 'postgresql'}://${authority}${database === '' && query !== '' ? '/' : database}${query}`
}

function printUser({ user, password }: ConnectionStringParts): string {
  if (user === undefined && password === undefined) return ''
  return `${encode(user ?? '')}${password === undefined ? '' : `:${encode(password)}`}@`
}

function printHost({ host, port }: HostAddress): string {
  const name = host.includes(':') && !host.startsWith('/') ? `[${encode(host).replaceAll('%3A', ':')}]` : encode(host)
  return port === undefined ? name : `${name}:${port}`
}

/**
 * encodeURIComponent does not encode `'` and `*`. Encode `'` for shells and for redaction, but keep `*`, so that `***` stays
 * readable. encodeURIComponent throws on a lone surrogate, which cannot be sent to a server either: replace it.
 */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll("'", '%27')
}
