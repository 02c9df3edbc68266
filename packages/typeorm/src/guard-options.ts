import type { PoolguardOptions } from '@poolguard/core'
import type { GuardedPoolConfig } from '@poolguard/pg'

/**
 * What poolguard can be told beside TypeORM's own options, over which it stands. Where to connect to stays TypeORM's.
 */
export interface GuardOptions extends Omit<PoolguardOptions, 'url'>, Pick<GuardedPoolConfig, 'reset'> {
  /**
   * Whether the pools are told which callers are inside a transaction, so that they can report a deadlock: the
   * DataSource used where the transaction's own EntityManager should be, on the last connection. Default: from Node 24
   * on; below, it makes every await of the process dearer.
   */
  readonly watchDeadlocks?: boolean
}
