import { inspect } from 'node:util'
import { print } from './print.ts'
import { SECRET_PARAMETERS } from './redact.ts'

/** One server that a connection string names. libpq allows several, tried in order. */
export interface HostAddress {
  /** A host name, an IPv4 or (without brackets) IPv6 address, or the folder of a Unix socket. */
  readonly host: string
  /** Absent when the string names none; drivers then use 5432. */
  readonly port?: number
}

/** A parameter behind the `?`, decoded. */
export type Parameter = readonly [name: string, value: string]

/** The parts that a {@link ConnectionString} is made of, all decoded. */
export interface ConnectionStringParts {
  readonly scheme?: 'postgres' | 'postgresql'
  readonly user?: string | undefined
  readonly password?: string | undefined
  readonly hosts?: readonly HostAddress[]
  readonly database?: string | undefined
  /** In the order written; a name may occur twice. */
  readonly parameters?: readonly Parameter[]
}

/**
 * A PostgreSQL connection string, taken apart. Made by {@link parseConnectionString}.
 *
 * Wherever it might be shown (`toString`, `JSON.stringify`, `console.log`) its password is hidden; only `href` holds it.
 */
export class ConnectionString implements ConnectionStringParts {
  readonly scheme: 'postgres' | 'postgresql'
  readonly user: string | undefined
  declare readonly password: string | undefined
  readonly hosts: readonly HostAddress[]
  readonly database: string | undefined
  readonly parameters: readonly Parameter[]

  constructor(parts: ConnectionStringParts) {
    this.scheme = parts.scheme ?? 'postgresql'
    this.user = parts.user
    Object.defineProperty(this, 'password', { value: parts.password, enumerable: false })
    this.hosts = parts.hosts ?? []
    this.database = parts.database
    this.parameters = parts.parameters ?? []
  }

  /** The value of a parameter, the last one where it stands twice, as in libpq. */
  parameter(name: string): string | undefined {
    return this.parameters.findLast(([key]) => key === name)?.[1]
  }

  /** A copy with some parts replaced. */
  with(parts: ConnectionStringParts): ConnectionString {
    return new ConnectionString({ ...this, password: this.password, ...parts })
  }

  /** A copy without the named parameters. */
  without(...names: readonly string[]): ConnectionString {
    return this.with({ parameters: this.parameters.filter(([key]) => !names.includes(key)) })
  }

  /** The whole string, password included, percent-encoded where needed: what a driver is given. */
  get href(): string {
    return print(this)
  }

  /** The string with its password hidden: what may be shown. */
  toString(): string {
    return print(withHiddenSecrets(this))
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

const HIDDEN = '***'

function withHiddenSecrets(parts: ConnectionStringParts): ConnectionStringParts {
  return {
    ...parts,
    password: parts.password === undefined ? undefined : HIDDEN,
    parameters: (parts.parameters ?? []).map(([name, value]) =>
      SECRET_PARAMETERS.includes(name.toLowerCase()) ? [name, HIDDEN] : [name, value],
    ),
  }
}
