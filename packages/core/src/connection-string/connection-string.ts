import { inspect } from 'node:util'
import type { ConnectionStringParts, HostAddress, UrlParameter } from './connection-string-parts.ts'
import { isDoubtful, shownParts } from './shown-parts.ts'

/**
 * A PostgreSQL connection string, taken apart. Made by {@link parseConnectionString}.
 *
 * Wherever it might be shown (`toString`, `JSON.stringify`, `console.log`) its password is hidden, and so is the value of every
 * parameter that is not known to be harmless; only `href` holds them.
 */
export class ConnectionString implements ConnectionStringParts {
  readonly scheme: 'postgres' | 'postgresql'
  readonly user: string | undefined
  declare readonly password: string | undefined
  readonly hosts: readonly HostAddress[]
  readonly database: string | undefined
  readonly parameters: readonly UrlParameter[]
  #isDoubtful: boolean

  constructor(parts: ConnectionStringParts) {
    this.scheme = parts.scheme ?? 'postgresql'
    this.user = parts.user
    Object.defineProperty(this, 'password', { value: parts.password, enumerable: false })
    this.hosts = parts.hosts ?? []
    this.database = parts.database
    this.parameters = parts.parameters ?? []
    this.#isDoubtful = isDoubtful(parts)
  }

  /** The value of a parameter, the last one where it stands twice, as in libpq. */
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

  /** The whole string, password included, percent-encoded where needed: what a driver is given. */
  get href(): string {
    return print(this)
  }

  /** The parts as they may be shown, with `***` for the others. See {@link toString}. */
  shown(): ConnectionStringParts {
    return shownParts({ ...this, password: this.password }, this.#isDoubtful)
  }

  /** The string as it may be shown: without its password, the values of unknown parameters, and parts that are no plain names. */
  toString(): string {
    return print(this.shown())
  }

  toJSON(): string {
    return this.toString()
  }
}

/** Parameters can be secrets too, so that console.log must not list the fields. */
Object.defineProperty(ConnectionString.prototype, inspect.custom, {
  value(this: ConnectionString) {
    return `ConnectionString <${this.toString()}>`
  },
})

/** Writes the parts as a URL that every PostgreSQL driver reads alike: all that is not plain is percent-encoded. */
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
 * encodeURIComponent leaves `'` and `*` alone; shells and redaction do better without the first, `***` reads better. It
 * throws on half a surrogate pair, which no server could be sent anyhow.
 */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll("'", '%27')
}
