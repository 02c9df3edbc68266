import { ConnectionStringError } from '@poolguard/core'
import { normalizeTarget, parseConnectionString } from '@poolguard/core/postgres'
import type { LibpqReading } from './libpq.ts'

/** The meaning of a connection string: where to connect, as whom, and with which parameters. */
export interface Target {
  readonly user: string
  readonly password: string
  readonly database: string
  /** Each as `host port`; the default host as `localhost`, the default port as nothing. */
  readonly hosts: string
  readonly parameters: Readonly<Record<string, string>>
}

/** How poolguard reads a text, or why it rejects the text. */
export function readByPoolguard(text: string): Target | ConnectionStringError {
  try {
    const { user, password, database, hosts, parameters } = normalizeTarget(parseConnectionString(text))
    return {
      user: user ?? '',
      password: password ?? '',
      database: database ?? '',
      hosts: printHosts(hosts.length === 0 ? [{ host: '' }] : hosts),
      parameters: libpqParameters(parameters),
    }
  } catch (error) {
    if (error instanceof ConnectionStringError) return error
    throw error
  }
}

/** How libpq connects; undefined if it rejects the text or its ports. */
export function targetOf(reading: LibpqReading): Target | undefined {
  if (typeof reading === 'string') return undefined
  const { host = '', port = '', user = '', password = '', dbname = '', ...parameters } = Object.fromEntries(reading)
  const { hostaddr = '' } = parameters
  // Without names, each address has a port.
  const names = host === '' ? hostaddr.split(',').map(() => '') : host.split(',')
  const ports = port.split(',').map(readPort)
  if (ports.includes(undefined) || (ports.length > 1 && ports.length !== names.length)) return undefined
  return {
    user,
    password,
    database: dbname,
    hosts: printHosts(
      names.map((name, index) => ({ host: name, port: (ports.length === 1 ? ports[0] : ports[index]) || undefined })),
    ),
    parameters,
  }
}

/** 0 without a port, undefined for an invalid one. Like libpq's parse_int_param, allows a sign, and spaces around the number. */
function readPort(text: string): number | undefined {
  if (text === '') return 0
  const port = /^[ \t\n\v\f\r]*\+?\d+[ \t\n\v\f\r]*$/.test(text) ? Number(text) : 0
  return port >= 1 && port <= 65_535 ? port : undefined
}

function printHosts(hosts: readonly { readonly host: string; readonly port?: number | undefined }[]): string {
  return hosts.map(({ host, port }) => `${host === '' ? 'localhost' : host} ${port ?? ''}`).join(', ')
}

/** libpq itself reads JDBC's `ssl=true` as `sslmode=require`. The last value of a name counts. */
function libpqParameters(parameters: readonly (readonly [name: string, value: string])[]): Record<string, string> {
  return Object.fromEntries(
    parameters.map(([name, value]) => (name === 'ssl' && value === 'true' ? ['sslmode', 'require'] : [name, value])),
  )
}

/** Only addresses, no names: a reading may show the addresses as hosts. Which server they lead to is tested on servers. */
function isByAddress({ hosts, parameters }: Target): boolean {
  return Boolean(parameters.hostaddr) && /^localhost \d*(?:, localhost \d*)*$/.test(hosts)
}

/** The names of the parts in which two readings differ. */
export function differingParts(one: Target, other: Target): readonly string[] {
  const parts = (['user', 'password', 'database', 'hosts'] as const)
    .filter((part) => one[part] !== other[part])
    .filter((part) => part !== 'hosts' || !isByAddress(other))
  const names = new Set([...Object.keys(one.parameters), ...Object.keys(other.parameters)])
  return [...parts, ...[...names].filter((name) => one.parameters[name] !== other.parameters[name])]
}
