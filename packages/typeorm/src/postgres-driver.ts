import type { GuardedPool } from '@poolguard/pg'
import type { DataSource, QueryRunner, ReplicationMode } from 'typeorm'
import type { Credentials, PostgresOptions } from './postgres-options.ts'

/** The part of TypeORM's PostgresDriver used here. It is the same in 0.3 and 1.x; some members are protected. */
export interface PostgresDriver {
  master: GuardedPool | undefined
  slaves: GuardedPool[]
  /** The query runners that hold a connection. */
  readonly connectedQueryRunners: QueryRunner[]
  createPool(options: PostgresOptions, credentials: Credentials): Promise<GuardedPool>
  createQueryRunner(mode: ReplicationMode): QueryRunner
  connect(): Promise<void>
  disconnect(): Promise<void>
}

export function postgresDriverOf(dataSource: DataSource): PostgresDriver {
  return dataSource.driver as unknown as PostgresDriver
}
