import type { ConnectionString } from './connection-string.ts'
import { ConnectionStringError } from './connection-string-error.ts'
import type { HostAddress } from './connection-string-parts.ts'
import { parsePort } from './decode.ts'

const TARGET_PARAMETERS = ['host', 'port', 'user', 'password', 'dbname']

/**
 * A copy in which `host`, `port`, `user`, `password` and `dbname` stand in their own places, not among the parameters,
 * where libpq and pg take them too, and where they win. Several hosts and ports are parted by commas; one port serves
 * all hosts.
 *
 * @throws {ConnectionStringError} if a port is none, or there are not as many ports as hosts.
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS
 * @example
 * normalizeTarget(parseConnectionString('postgresql://app@/orders?host=/var/run')).hosts // [{ host: '/var/run' }]
 */
export function normalizeTarget(connection: ConnectionString): ConnectionString {
  if (!connection.parameters.some(([name]) => TARGET_PARAMETERS.includes(name))) return connection
  return connection.without(...TARGET_PARAMETERS).with({
    hosts: settleHosts(connection),
    user: given(connection, 'user') ?? connection.user,
    password: connection.parameter('password') ?? connection.password,
    database: given(connection, 'dbname') ?? connection.database,
  })
}

/** A host among the parameters takes the place of the names only: the ports stay those of the URL, as in libpq and pg. */
function settleHosts(connection: ConnectionString): readonly HostAddress[] {
  const names = given(connection, 'host')?.split(',') ?? connection.hosts.map(({ host }) => host)
  const ports = readPorts(given(connection, 'port')) ?? connection.hosts.map(({ port }) => port)
  const hosts = names.length > 0 || ports.length === 0 ? names : ['localhost']
  if (ports.length > 1 && ports.length !== hosts.length) {
    throw new ConnectionStringError('port', `there are ${hosts.length} hosts and ${ports.length} ports`)
  }
  return hosts.map((host, index) => {
    const port = ports.length === 1 ? ports[0] : ports[index]
    return port === undefined ? { host } : { host, port }
  })
}

function readPorts(text: string | undefined): (number | undefined)[] | undefined {
  return text?.split(',').map((port) => (port === '' ? undefined : parsePort(port.trim())))
}

function given(connection: ConnectionString, name: string): string | undefined {
  const value = connection.parameter(name)
  return value === '' ? undefined : value
}
