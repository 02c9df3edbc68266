import { PoolguardError } from '../../poolguard-error.ts'

/** No replica can be used, and reads must not go to the primary. */
export class NoReplicaError extends PoolguardError {
  static {
    NoReplicaError.prototype.name = 'NoReplicaError'
  }

  readonly code = 'POOLGUARD_NO_REPLICA'

  /** @param replicas each with the reason. */
  constructor(replicas: readonly string[]) {
    super(
      `no replica can be used: ${replicas.join('; ')}. Reads do not go to the primary, because withoutReplica is 'reject'`,
    )
  }
}
