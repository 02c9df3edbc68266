import { inspect } from 'node:util'

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
 * Wherever it might be shown (`toString`, `JSON.stringify`, `console.log`) its password is hidden, and so is the value of every
 * parameter that is not known to be harmless; only `href` holds them.
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

  /** The string with its password and the values of unknown parameters hidden: what may be shown. */
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

/** Parameters with a number, a switch, a choice or a plain name for a value. Others, such as `options`, may hold anything. */
const HARMLESS_PARAMETERS: ReadonlySet<string> = new Set([
  ...['sslmode', 'sslnegotiation', 'sslaccept', 'channel_binding', 'gssencmode', 'uselibpqcompat', 'ssl'],
  ...['host', 'port', 'user', 'dbname', 'target_session_attrs', 'load_balance_hosts', 'replication', 'schema'],
  ...[
    'application_name',
    'fallback_application_name',
    'client_encoding',
    'pgbouncer',
    'prepare',
    'statement_cache_size',
  ],
  ...['connection_limit', 'pool_timeout', 'connect_timeout', 'socket_timeout', 'query_timeout', 'max', 'min'],
  ...['max_idle_connection_lifetime', 'max_connection_lifetime', 'idle_timeout', 'max_lifetime', 'maxLifetimeSeconds'],
  ...['connectionTimeoutMillis', 'idleTimeoutMillis', 'keepalives', 'keepalives_idle', 'workaround', 'supa', 'db'],
  ...['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'search_path'],
])

function isHarmless(name: string, value: string): boolean {
  return HARMLESS_PARAMETERS.has(name) && /^[\w.,:/$ -]{0,64}$/.test(value)
}

function withHiddenSecrets(parts: ConnectionStringParts): ConnectionStringParts {
  return {
    ...parts,
    password: parts.password === undefined ? undefined : HIDDEN,
    parameters: (parts.parameters ?? []).map(([name, value]) => [name, isHarmless(name, value) ? value : HIDDEN]),
  }
}

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
