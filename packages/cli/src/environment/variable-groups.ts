import { InvalidOptionError } from '@poolguard/core'
import type { ConnectionStringParts, HostAddress, UrlParameter } from '@poolguard/core/postgres'
import type { Environment } from './pool-from-environment.ts'

/** A connection from a group of variables, and the variable behind each part. */
export interface EnvironmentReading {
  /** The variable or group of variables, for messages. */
  readonly name: string
  readonly parts: ConnectionStringParts
  readonly sources: Readonly<Record<string, string>>
  /** A port without a host. */
  readonly port?: number | undefined
}

/** libpq's variables that become parameters: https://www.postgresql.org/docs/current/libpq-envars.html */
const PG_PARAMETERS: Readonly<Record<string, string>> = {
  PGHOSTADDR: 'hostaddr',
  PGSSLMODE: 'sslmode',
  PGSSLNEGOTIATION: 'sslnegotiation',
  PGSSLROOTCERT: 'sslrootcert',
  PGSSLCERT: 'sslcert',
  PGSSLKEY: 'sslkey',
  PGAPPNAME: 'application_name',
  PGOPTIONS: 'options',
  PGCONNECT_TIMEOUT: 'connect_timeout',
  PGCLIENTENCODING: 'client_encoding',
  PGTARGETSESSIONATTRS: 'target_session_attrs',
  PGCHANNELBINDING: 'channel_binding',
  PGGSSENCMODE: 'gssencmode',
  PGREQUIREAUTH: 'require_auth',
  PGPASSFILE: 'passfile',
  PGSERVICE: 'service',
}

/** The value of a variable; an empty one counts as unset. */
export function variable(env: Environment, name: string): string | undefined {
  return env[name] || undefined
}

/** Names of the parts after a prefix, the strongest first: `DB_HOST`, `DATABASE_HOSTNAME`, `TYPEORM_USERNAME`. */
const SUFFIXES = {
  host: ['HOST', 'HOSTNAME', 'SERVER'],
  port: ['PORT'],
  user: ['USER', 'USERNAME'],
  password: ['PASSWORD', 'PASS', 'PWD'],
  database: ['DATABASE', 'DB', 'NAME', 'DB_NAME', 'DBNAME'],
} as const

/** Prefixes that name no database system: their group may be of MySQL. */
const NEUTRAL = ['DATABASE', 'DB', 'TYPEORM', 'RDS'] as const
const SYSTEM = ['TYPE', 'CONNECTION', 'DIALECT', 'DRIVER', 'CLIENT', 'ENGINE', 'PROVIDER', 'VENDOR']
/** Ports of MySQL, SQL Server, MongoDB, Oracle and Redis. */
const FOREIGN_PORT = /^(3306|33060|1433|27017|1521|6379)$/

/** Reads a group of variables, such as `POSTGRES_HOST`, `_PORT`, `_USER`, `_PASSWORD`, `_DB`; undefined without a host. */
export function readGroup(env: Environment, prefix: string): EnvironmentReading | undefined {
  const named = (suffixes: readonly string[]): Named => {
    const names = suffixes.map((suffix) => `${prefix}_${suffix}`)
    const name = names.find((each) => variable(env, each) !== undefined) ?? names[0] ?? prefix
    return [name, variable(env, name)]
  }
  const host = named(SUFFIXES.host)
  if (host[1] === undefined) return undefined
  return assemble(host[0], {
    host,
    port: named(SUFFIXES.port),
    user: named(SUFFIXES.user),
    password: named(SUFFIXES.password),
    database: named(SUFFIXES.database),
  })
}

/** The first group of variables with a neutral prefix, such as `DB_HOST`, that is not of another database system. */
export function readNeutralGroup(env: Environment): EnvironmentReading | undefined {
  const prefix = [...NEUTRAL, 'PG'].find((each) => isPostgres(env, each) && readGroup(env, each) !== undefined)
  return prefix === undefined ? undefined : readGroup(env, prefix)
}

function isPostgres(env: Environment, prefix: string): boolean {
  const system = SYSTEM.map((suffix) => variable(env, `${prefix}_${suffix}`)).find((value) => value !== undefined)
  // DB_CONNECTION may also be a URL, or a name of the app's own.
  if (system !== undefined && /^(mysql|maria|sqlite|better-sqlite|mssql|sqlserver|oracle|mongo)/i.test(system))
    return false
  return !FOREIGN_PORT.test(variable(env, `${prefix}_PORT`) ?? '')
}

/** Reads libpq's own variables. */
export function readPgVariables(env: Environment): EnvironmentReading {
  const reading = assemble('PGHOST', {
    host: ['PGHOST', variable(env, 'PGHOST')],
    port: ['PGPORT', variable(env, 'PGPORT')],
    user: ['PGUSER', variable(env, 'PGUSER')],
    password: ['PGPASSWORD', variable(env, 'PGPASSWORD')],
    database: ['PGDATABASE', variable(env, 'PGDATABASE')],
  })
  const given = Object.entries(PG_PARAMETERS).flatMap(([source, parameter]) => {
    const value = variable(env, source)
    return value === undefined ? [] : [{ source, parameter, value }]
  })
  const alone = reading.parts.hosts?.length ? undefined : readPorts(['PGPORT', variable(env, 'PGPORT')], 1)[0]
  return {
    name: reading.name,
    port: alone,
    parts: { ...reading.parts, parameters: given.map(({ parameter, value }): UrlParameter => [parameter, value]) },
    sources: {
      ...reading.sources,
      ...Object.fromEntries(given.map(({ parameter, source }) => [parameter, source])),
    },
  }
}

/**
 * Fills the missing parts of a connection from another group of variables. Takes its password only for the same user, or if
 * one of the two names no user.
 */
export function fillGaps(
  reading: EnvironmentReading,
  from: EnvironmentReading,
  parameters: boolean,
): EnvironmentReading {
  const { parts } = reading
  const other = from.parts
  const sameUser = parts.user === undefined || other.user === undefined || parts.user === other.user
  const hosts = fillHosts(parts.hosts ?? [], from, parameters)
  const missing = parameters
    ? (other.parameters ?? []).filter(([name]) => !(parts.parameters ?? []).some(([known]) => known === name))
    : []
  const filled = {
    ...(parts.user === undefined && other.user !== undefined && { user: other.user }),
    ...(parts.password === undefined && other.password !== undefined && sameUser && { password: other.password }),
    ...(parts.database === undefined && other.database !== undefined && { database: other.database }),
  }
  const taken = [
    ...Object.keys(filled),
    ...missing.map(([name]) => name),
    ...(hosts !== parts.hosts ? ['host', 'port'] : []),
  ]
  return {
    name: reading.name,
    parts: { ...parts, ...filled, hosts, parameters: [...(parts.parameters ?? []), ...missing] },
    sources: {
      ...Object.fromEntries(
        taken.flatMap((part) => (from.sources[part] === undefined ? [] : [[part, from.sources[part]]])),
      ),
      ...reading.sources,
    },
  }
}

/** Hosts without a port get PGPORT, as in libpq; other groups provide only complete addresses. */
function fillHosts(hosts: readonly HostAddress[], from: EnvironmentReading, ports: boolean): readonly HostAddress[] {
  const other = from.parts.hosts ?? []
  if (hosts.length === 0 && from.port === undefined) return other
  const port = from.port ?? (other.length === 1 ? other[0]?.port : undefined)
  if (!ports || port === undefined) return hosts
  const named = hosts.length === 0 ? [{ host: 'localhost' }] : hosts
  return named.map((address) => (address.port === undefined ? { ...address, port } : address))
}

type Named = readonly [name: string, value: string | undefined]

function assemble(
  name: string,
  given: { host: Named; port: Named; user: Named; password: Named; database: Named },
): EnvironmentReading {
  const hosts = given.host[1]?.split(',').map((host) => host.trim()) ?? []
  const ports = hosts.length === 0 ? [] : readPorts(given.port, hosts.length)
  return {
    name,
    parts: {
      hosts: hosts.map((host, index) => {
        const port = ports.length === 1 ? ports[0] : ports[index]
        return port === undefined ? { host } : { host, port }
      }),
      user: given.user[1],
      password: given.password[1],
      database: given.database[1],
    },
    sources: Object.fromEntries(
      Object.entries(given).flatMap(([part, [source, value]]) => (value === undefined ? [] : [[part, source]])),
    ),
  }
}

function readPorts([name, text]: Named, hosts: number): (number | undefined)[] {
  if (text === undefined) return []
  const ports = text.split(',').map((item) => (item.trim() === '' ? undefined : Number(item)))
  const valid = ports.every((port) => port === undefined || (Number.isInteger(port) && port >= 1 && port <= 65535))
  if (valid && (ports.length === 1 || ports.length === hosts)) return ports
  throw new InvalidOptionError(name, text, 'a port from 1 to 65535, or one for each host, separated by commas')
}
