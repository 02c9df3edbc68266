import { InvalidOptionError } from '@poolguard/core'
import { readDriversUrl } from '@poolguard/core/adapter'
import { type ConnectionString, normalizeTarget } from '@poolguard/core/postgres'
import type { DataSourceOptions } from 'typeorm'

/**
 * TypeORM's options for PostgreSQL, under whichever name: PostgresDataSourceOptions in 1.x, PostgresConnectionOptions
 * in 0.3.
 */
export type PostgresOptions = Extract<DataSourceOptions, { readonly type: 'postgres' }>

/** Where one of TypeORM's pools leads to: the options themselves, or a part of their `replication`. */
export type Credentials = NonNullable<PostgresOptions['replication']>['master']

/** Where TypeORM makes a pool to: the master first, then the replicas. */
export function credentialsOf(options: PostgresOptions): readonly Credentials[] {
  const { replication } = options
  return replication ? [replication.master, ...replication.slaves] : [options]
}

/** @throws {InvalidOptionError} for another type of database. */
export function requirePostgres({ type }: { readonly type: string }): void {
  if (type === 'postgres') return
  throw new InvalidOptionError('type', type, "'postgres': only its pool can be guarded here")
}

/**
 * The URL of some credentials, with `host`, `dbname` and their kind in their own places; undefined where there is none.
 *
 * @throws {InvalidOptionError} for one that is not set though nothing else says where to connect to; else TypeORM would
 * take localhost. `ConnectionStringError` for a bad one.
 */
export function urlOf(credentials: Credentials): ConnectionString | undefined {
  if (!credentials.url && (!('url' in credentials) || credentials.host !== undefined)) return undefined
  const url = readDriversUrl(credentials.url)
  return url && normalizeTarget(url)
}

/**
 * The credentials with their URL in the one spelling that all read alike: TypeORM takes the database's name out of it
 * by itself, and misreads it where the password holds a raw slash or the host is a socket.
 */
export function withPlainUrl<C extends Credentials>(credentials: C): C {
  const url = urlOf(credentials)
  return url ? { ...credentials, url: url.href } : credentials
}
