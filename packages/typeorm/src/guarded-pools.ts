import { InvalidOptionError } from '@poolguard/core'
import type { GuardedPool } from '@poolguard/pg'
import type { DataSource } from 'typeorm'
import { postgresDriverOf } from './postgres-driver.ts'

/**
 * The pools of a DataSource that is initialised: the master's, then those of the replicas in their order.
 *
 * @throws {InvalidOptionError} where it is not initialised, or not guarded.
 * @example
 * const [pool] = guardedPools(dataSource)
 * pool.snapshot().stats.waiting
 */
export function guardedPools(dataSource: DataSource): [master: GuardedPool, ...replicas: GuardedPool[]] {
  const { master, slaves = [] } = postgresDriverOf(dataSource)
  if (typeof master?.snapshot === 'function') return [master, ...slaves]
  throw new InvalidOptionError(
    'dataSource',
    dataSource.isInitialized ? 'initialised, but not guarded' : 'not initialised',
    'an initialised DataSource that was made with guardDataSource',
  )
}
