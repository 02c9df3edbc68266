import type { ConnectionString } from './connection-string.ts'
import type { UrlParameter } from './connection-string-parts.ts'
import { normalizeTarget } from './normalize-target.ts'

/** The parameters that say who connects to which server. */
const PART_NAMES = { user: 'user', password: 'password', database: 'dbname' } as const

/**
 * Adds the parameters of a service that a connection does not set itself, as libpq does.
 *
 * @param except parameters that are set elsewhere, such as in a driver's options.
 * @throws {ConnectionStringError} if the numbers of hosts and ports differ.
 * @example
 * addService(parseConnectionString('postgresql://db/orders'), [['host', 'other'], ['user', 'app']]).href
 * // 'postgresql://app@db/orders'
 */
export function addService(
  connection: ConnectionString,
  parameters: readonly UrlParameter[],
  except: readonly string[] = [],
): ConnectionString {
  const target = normalizeTarget(connection)
  const { hosts } = target
  const given = new Set([
    ...except,
    ...target.parameters.map(([name]) => name),
    ...Object.entries(PART_NAMES).flatMap(([part, name]) => (target[part as keyof typeof PART_NAMES] ? [name] : [])),
    ...(hosts.some(({ host }) => host !== '') ? ['host'] : []),
    ...(hosts.some(({ port }) => port !== undefined) ? ['port'] : []),
  ])
  const added = parameters.filter(([name]) => !given.has(name))
  return normalizeTarget(target.with({ parameters: [...added, ...target.parameters] }))
}
