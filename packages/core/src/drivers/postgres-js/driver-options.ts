import type { HostAddress } from '../../connection-string/index.ts'
import type { TopologyTraits } from '../../topology/index.ts'
import type { DriverContext } from '../driver-context.ts'
import { hideSecrets } from '../neutral/hide-secrets.ts'
import { type Reading, readFlag } from '../neutral/reading.ts'
import { admitSettings, searchPath } from '../neutral/server-settings.ts'
import { printStartupOptions, type ServerSetting } from '../neutral/startup-options.ts'
import type { TlsOptions } from '../neutral/tls-options.ts'
import type { RewritingReport } from '../rewriting.ts'
import { postgresJsTls } from './tls.ts'
import { lostParameters, preparesStatements, translatedParameters } from './warnings.ts'

/** The connection options of `postgres()`, with its names. Durations are in seconds. */
export interface PostgresJsDriverOptions {
  host?: string[]
  port?: number[]
  /** Path of a Unix socket. */
  path?: string
  user?: string
  password?: string
  database?: string
  ssl?: boolean | 'require' | 'allow' | 'prefer' | 'verify-full' | TlsOptions
  /** From postgres.js 3.4.8 on. */
  sslnegotiation?: 'postgres' | 'direct'
  keep_alive?: number
  prepare?: boolean
  fetch_types?: boolean
  target_session_attrs?: 'read-write' | 'read-only' | 'primary' | 'standby' | 'prefer-standby'
  /** Startup parameters, sent to the server when a connection opens. */
  connection?: Record<string, string>
}

/** A connection string rewritten for the connections of postgres.js. */
export interface PostgresJsDriverRewriting extends RewritingReport {
  /** Contains the password, but hides it from console.log and JSON.stringify. */
  readonly options: PostgresJsDriverOptions
}

const SESSION_ATTRIBUTES = ['read-write', 'read-only', 'primary', 'standby', 'prefer-standby'] as const

/** Rewrites a connection string for the connections of postgres.js, without the options of the pool: see `poolSettings`. */
export function postgresJsDriverOptions(reading: Reading, context: DriverContext = {}): PostgresJsDriverRewriting {
  const { target } = reading
  const { topology } = context
  const tls = postgresJsTls(reading.tls, context)
  const settings = [...reading.serverSettings, ...searchPath(reading.schema, reading.serverSettings)]
  const admitted = admitSettings(settings, target.user, topology)
  const options: PostgresJsDriverOptions = {
    ...address(target.hosts),
    ...(target.user !== undefined && { user: target.user }),
    ...(target.password !== undefined && { password: target.password }),
    ...(target.database !== undefined && { database: target.database }),
    ...(tls.ssl !== undefined && { ssl: tls.ssl }),
    ...(reading.tls.negotiation !== undefined && { sslnegotiation: reading.tls.negotiation }),
    ...keepAlive(reading),
    ...statementOptions(reading, topology),
    ...(!context.choosesHost && sessionAttributes(reading)),
    ...startup(reading, admitted.settings),
  }
  return {
    options: hideSecrets(options),
    warnings: [...lostParameters(reading, context), ...admitted.warnings, ...tls.warnings],
    repairs: translatedParameters(reading, admitted.settings),
  }
}

/** Always arrays, because postgres.js splits a string at its colons. */
function address(hosts: readonly HostAddress[]): PostgresJsDriverOptions {
  const first = hosts[0]
  if (first === undefined) return {}
  const port = first.port ?? 5432
  if (first.host.startsWith('/'))
    return { path: `${first.host.replace(/(?<!\/)\/+$/, '')}/.s.PGSQL.${port}`, port: [port] }
  const servers = hosts.filter(({ host }) => !host.startsWith('/'))
  return {
    host: servers.map(({ host }) => (host === '' ? 'localhost' : host)),
    port: servers.map((server) => server.port ?? 5432),
  }
}

function keepAlive({ others }: Reading): PostgresJsDriverOptions {
  const seconds = others.get('keep_alive') ?? others.get('keepalives_idle')
  return seconds !== undefined && /^\d{1,9}$/.test(seconds) ? { keep_alive: Number(seconds) } : {}
}

function statementOptions(reading: Reading, topology: TopologyTraits | undefined): PostgresJsDriverOptions {
  const prepare = preparesStatements(reading, topology)
  const fetchTypes = readFlag(reading, 'fetch_types') ?? (topology?.sharesServers ? false : undefined)
  return {
    ...(prepare !== undefined && { prepare }),
    ...(fetchTypes !== undefined && { fetch_types: fetchTypes }),
  }
}

function sessionAttributes({ others }: Reading): PostgresJsDriverOptions {
  const wanted = others.get('target_session_attrs')
  const known = SESSION_ATTRIBUTES.find((attributes) => attributes === wanted)
  return known ? { target_session_attrs: known } : {}
}

function startup(reading: Reading, settings: readonly ServerSetting[]): PostgresJsDriverOptions {
  const name = reading.settings.applicationName ?? reading.others.get('fallback_application_name')
  const fromOptions = settings.filter(({ parameter }) => parameter === 'options')
  const options = printStartupOptions({ settings: fromOptions.map((s) => ({ ...s })), rest: reading.routing })
  const plain = settings.filter(({ parameter }) => parameter !== 'options').map(({ name, value }) => [name, value])
  const replication = reading.others.get('replication')
  const connection: Record<string, string> = {
    ...(name !== undefined && { application_name: name }),
    ...Object.fromEntries(plain),
    ...(options !== undefined && { options }),
    ...(replication !== undefined && { replication }),
  }
  return Object.keys(connection).length === 0 ? {} : { connection }
}
