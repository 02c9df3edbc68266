import { ConnectionStringError } from '../../connection-string/index.ts'
import type { Reading } from '../../drivers/index.ts'
import { InvalidOptionError, requireOneOf } from '../../invalid-option-error.ts'

/** One server of a pool with several. */
export interface ServerAddress {
  /** The name for TLS and for credentials, or the directory of a Unix socket. */
  readonly host: string
  readonly port: number
  /** Where to connect, if it is not `host`: libpq's `hostaddr`, or one of the addresses that the name resolves to. */
  readonly address?: string
}

const TARGETS = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'] as const
const LOAD_BALANCING = ['disable', 'random'] as const

/** Which sessions a pool accepts: libpq's `target_session_attrs`. */
export type TargetSessionAttrs = (typeof TARGETS)[number]

/** The options that choose among hosts. */
export interface HostOptions {
  /**
   * Which server the pool uses: `read-write` or `primary` follows the primary through failovers, `standby`, `prefer-standby` and
   * `read-only` use a replica, `any` accepts the first server that answers. The meaning is libpq's. Default: `target_session_attrs` of
   * the URL, else `PGTARGETSESSIONATTRS`, else `any`.
   */
  readonly targetSessionAttrs?: TargetSessionAttrs | undefined
  /**
   * `random` tries the hosts, and the addresses of each host, in random order; `disable` in the given order. Default:
   * `load_balance_hosts` of the URL, else `PGLOADBALANCEHOSTS`, else `disable`.
   */
  readonly loadBalanceHosts?: (typeof LOAD_BALANCING)[number] | undefined
}

/** How a pool chooses among servers. */
export interface HostPlan {
  readonly servers: readonly ServerAddress[]
  readonly target: TargetSessionAttrs
  readonly isRandom: boolean
  /** False if the app opens the sockets itself: names are passed to it as they are. */
  readonly ownsSockets: boolean
}

export interface HostPlanRequest {
  /** The servers, if the URL does not name them. */
  readonly servers: readonly ServerAddress[]
  readonly options: HostOptions
  readonly reading: Reading | undefined
  /** The port of a host without one. */
  readonly defaultPort: number
  readonly ownsSockets?: boolean
}

/**
 * Plans the choice of a server; undefined if there is none: one host, without requirements.
 *
 * @throws {InvalidOptionError} names the option; {@link ConnectionStringError} names the parameter.
 */
export function planHosts(request: HostPlanRequest): HostPlan | undefined {
  const { options, reading, ownsSockets = true } = request
  requireOneOf('targetSessionAttrs', options.targetSessionAttrs, TARGETS)
  requireOneOf('loadBalanceHosts', options.loadBalanceHosts, LOAD_BALANCING)
  const target =
    options.targetSessionAttrs ?? readKeyword(reading, 'target_session_attrs', 'PGTARGETSESSIONATTRS', TARGETS) ?? 'any'
  const balancing =
    options.loadBalanceHosts ?? readKeyword(reading, 'load_balance_hosts', 'PGLOADBALANCEHOSTS', LOAD_BALANCING)
  const servers = serversOf(request)
  if (servers.length === 0) return undefined
  if (servers.length < 2 && target === 'any' && servers.every(({ address }) => address === undefined)) return undefined
  return { servers, target, isRandom: balancing === 'random', ownsSockets }
}

function readKeyword<const T extends string>(
  reading: Reading | undefined,
  parameter: string,
  variable: string,
  allowed: readonly T[],
): T | undefined {
  const inUrl = reading?.others.get(parameter)
  const text = inUrl ?? process.env[variable]
  if (text === undefined || text === '') return undefined
  const known = allowed.find((each) => each === text)
  if (known !== undefined) return known
  const wanted = `one of ${allowed.join(', ')}`
  if (inUrl === undefined) throw new InvalidOptionError(variable, text, wanted)
  throw new ConnectionStringError('parameters', `${parameter} takes ${wanted}`)
}

function serversOf({ servers, reading, defaultPort }: HostPlanRequest): readonly ServerAddress[] {
  const hosts = reading?.target.hosts ?? []
  if (hosts.length === 0) return servers
  const addresses = reading?.others.get('hostaddr')?.split(',') ?? []
  const [first] = hosts
  // Only a port.
  if (first?.host === '' && hosts.length === 1 && addresses.length === 0) {
    return servers.map((server) => ({ ...server, port: first.port ?? server.port }))
  }
  if (addresses.length > 0 && addresses.length !== hosts.length) {
    const counts = `there are ${hosts.length} hosts and ${addresses.length} addresses`
    throw new ConnectionStringError('parameters', `hostaddr has one address for each host, but ${counts}`)
  }
  return hosts.map(({ host, port = defaultPort }, index) => {
    const address = addresses[index]?.trim() || undefined
    return { host: host || (address ?? 'localhost'), port, ...(address !== undefined && { address }) }
  })
}
