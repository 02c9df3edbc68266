import { InvalidOptionError } from '../../invalid-option-error.ts'
import { type ReplicaOptions, readReplicaPolicy } from '../replicas/replica-options.ts'
import { rejectMisspeltOptions } from './option-names.ts'

/** The options of a pool that do not apply to its replicas, besides a driver's own names for the address. */
const OF_PRIMARY: readonly string[] = [
  ...['url', 'host', 'port', 'name', 'targetSessionAttrs', 'loadBalanceHosts'],
  ...['replicas', 'routeReads', 'maxReplicaLagMillis', 'readYourWritesMillis', 'withoutReplica'],
]

interface Inherited extends ReplicaOptions {
  readonly pool?: object | undefined
}

/**
 * The options of the pools of a pool's replicas: for the name of the pool itself, and the driver's own names of options that say where to
 * connect.
 *
 * @throws {InvalidOptionError} names the option and the value.
 */
export function replicaPoolOptions(
  options: Inherited,
  { name, address }: { readonly name: string; readonly address: readonly string[] },
): readonly Record<string, unknown>[] {
  readReplicaPolicy(options)
  requireReplicas(options.replicas)
  const common = Object.entries(options).filter(([option]) => !OF_PRIMARY.includes(option) && !address.includes(option))
  return (options.replicas ?? []).map((replica, index) => {
    const own: Inherited & { readonly url?: string } = typeof replica === 'string' ? { url: replica } : replica
    rejectMisspeltOptions(own)
    const pool = { ...options.pool, ...own.pool }
    return { name: `${name}-replica-${index + 1}`, ...Object.fromEntries(common), ...own, pool }
  })
}

/** @throws {InvalidOptionError} if it is not a list of connection strings and objects. */
function requireReplicas(replicas: unknown): void {
  const isEndpoint = (each: unknown) => typeof each === 'string' || (typeof each === 'object' && each !== null)
  if (replicas === undefined || (Array.isArray(replicas) && replicas.every(isEndpoint))) return
  throw new InvalidOptionError('replicas', Array.isArray(replicas) ? 'a list' : replicas, LIST)
}

const LIST =
  'a list whose entries are connection strings or options of a pool. Is the environment variable set that you read it from?'
