import type { ConnectionString } from './connection-string.ts'
import { ConnectionStringError } from './connection-string-error.ts'
import type { HostAddress } from './connection-string-parts.ts'
import { parsePort, trimBlanks } from './decode.ts'

const TARGET_PARAMETERS = ['host', 'port', 'user', 'password', 'dbname']

/**
 * Returns a copy in which the parameters `host`, `port`, `user`, `password` and `dbname` replace the parts of the URL, as in
 * libpq and pg. Commas separate several hosts and ports; a single port applies to all hosts.
 *
 * @throws {ConnectionStringError} if a port is invalid, or if the numbers of ports and hosts differ.
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS
 * @example
 * normalizeTarget(parseConnectionString('postgresql://app@/orders?host=/var/run')).hosts // [{ host: '/var/run' }]
 */
export function normalizeTarget(connection: ConnectionString): ConnectionString {
  if (!connection.parameters.some(([name]) => TARGET_PARAMETERS.includes(name))) return connection
  return connection.without(...TARGET_PARAMETERS).with({
    hosts: normalizeHosts(connection),
    user: nonEmptyParameter(connection, 'user') ?? connection.user,
    password: connection.parameter('password') ?? connection.password,
    database: nonEmptyParameter(connection, 'dbname') ?? connection.database,
  })
}

/** The parameter `host` replaces only the host names; the ports of the URL stay, as in libpq and pg. */
function normalizeHosts(connection: ConnectionString): readonly HostAddress[] {
  const names = nonEmptyParameter(connection, 'host')?.split(',') ?? connection.hosts.map(({ host }) => host)
  const ports = readPorts(nonEmptyParameter(connection, 'port')) ?? connection.hosts.map(({ port }) => port)
  const addresses = nonEmptyParameter(connection, 'hostaddr')?.split(',')
  const hosts = names.length > 0 || ports.length === 0 ? names : (addresses ?? [''])
  if (ports.length > 1 && ports.length !== hosts.length) {
    throw new ConnectionStringError('port', `there are ${hosts.length} hosts and ${ports.length} ports`)
  }
  return hosts.map((host, index) => {
    const port = ports.length === 1 ? ports[0] : ports[index]
    return port === undefined ? { host } : { host, port }
  })
}

function readPorts(text: string | undefined): (number | undefined)[] | undefined {
  return text?.split(',').map((port) => (port === '' ? undefined : parsePort(trimBlanks(port))))
}

function nonEmptyParameter(connection: ConnectionString, name: string): string | undefined {
  const value = connection.parameter(name)
  return value === '' ? undefined : value
}
