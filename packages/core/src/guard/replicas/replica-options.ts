import { InvalidOptionError, requireDuration, requireOneOf } from '../../invalid-option-error.ts'

/** The options of a pool with read replicas. `Endpoint` has the options of one replica's pool. */
export interface ReplicaOptions<Endpoint = object> {
  /**
   * The read replicas: a connection string, or the options of that replica's pool. The options of this pool apply to its replicas, too, unless
   * the replica sets them: all but the address, `name`, `targetSessionAttrs` and those about replicas. Each replica has a pool of its own,
   * with the limits of its own server, named `<name>-replica-1` and so on.
   */
  readonly replicas?: readonly (string | Endpoint)[] | undefined
  /**
   * Whether statements outside of transactions that only read, judged by their text, go to a replica. False: only those that ask for it.
   * Default: true. Has an effect only with `replicas`.
   */
  readonly routeReads?: boolean | undefined
  /** A replica that lags further behind the primary is not used until it has caught up. Default: 10 000. */
  readonly maxReplicaLagMillis?: number | undefined
  /**
   * How long a read may wait for a replica to replay the writes of its caller, before it goes to the primary. 0: such a read goes to the
   * primary at once if no replica is known to have them. False: reads do not wait, and may miss the caller's writes. Default: 500.
   */
  readonly readYourWritesMillis?: number | false | undefined
  /** Where reads go if no replica can be used: to the `primary` (the default), or nowhere (`reject`). */
  readonly withoutReplica?: 'primary' | 'reject' | undefined
}

/** How a pool with replicas routes, with all defaults. */
export interface ReplicaPolicy {
  readonly routesReads: boolean
  readonly maxLagMillis: number
  /** Undefined if reads may miss the caller's writes. */
  readonly ownWritesMillis: number | undefined
  readonly rejects: boolean
}

/** @throws {InvalidOptionError} names the option and the value. */
export function readReplicaPolicy(options: ReplicaOptions): ReplicaPolicy {
  const { routeReads = true, maxReplicaLagMillis = 10_000, readYourWritesMillis = 500, withoutReplica } = options
  if (typeof routeReads !== 'boolean') throw new InvalidOptionError('routeReads', routeReads, 'true or false')
  requireDuration('maxReplicaLagMillis', maxReplicaLagMillis)
  if (readYourWritesMillis !== false) requireDuration('readYourWritesMillis', readYourWritesMillis)
  requireOneOf('withoutReplica', withoutReplica, ['primary', 'reject'])
  return {
    routesReads: routeReads,
    maxLagMillis: maxReplicaLagMillis,
    ownWritesMillis: readYourWritesMillis === false ? undefined : readYourWritesMillis,
    rejects: withoutReplica === 'reject',
  }
}
