import type { GuardedPool } from '@poolguard/pg'
import type { DataSource, QueryRunner, ReplicationMode } from 'typeorm'
import type { Credentials, PostgresOptions } from './postgres-options.ts'

/** What is used of TypeORM's own PostgresDriver: alike in 0.3 and 1.x, in parts protected. */
export interface PostgresDriver {
  master: GuardedPool | undefined
  slaves: GuardedPool[]
  /** Those that have a connection at the moment. */
  readonly connectedQueryRunners: QueryRunner[]
  createPool(options: PostgresOptions, credentials: Credentials): Promise<GuardedPool>
  createQueryRunner(mode: ReplicationMode): QueryRunner
  disconnect(): Promise<void>
}

export function postgresDriverOf(dataSource: DataSource): PostgresDriver {
  return dataSource.driver as unknown as PostgresDriver
}
