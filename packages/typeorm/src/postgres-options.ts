import { InvalidOptionError, normalizeTarget, readDriversUrl } from '@poolguard/core/adapter'
import type { ConnectionString } from '@poolguard/core/postgres'
import type { DataSourceOptions } from 'typeorm'

/**
 * TypeORM's options for PostgreSQL: PostgresDataSourceOptions in 1.x, PostgresConnectionOptions in 0.3.
 */
export type PostgresOptions = Extract<DataSourceOptions, { readonly type: 'postgres' }>

/** The address of one of TypeORM's pools: the options themselves, or an entry of `replication`. */
export type Credentials = NonNullable<PostgresOptions['replication']>['master']

/** The addresses of TypeORM's pools: the master first, then the replicas. */
export function credentialsOf(options: PostgresOptions): readonly Credentials[] {
  const { replication } = options
  return replication ? [replication.master, ...replication.slaves] : [options]
}

/** @throws {InvalidOptionError} for databases other than PostgreSQL. */
export function requirePostgres({ type }: { readonly type: string }): void {
  if (type === 'postgres') return
  throw new InvalidOptionError('type', type, "'postgres', because guardDataSource supports PostgreSQL only")
}

/**
 * The URL of the credentials, with parameters such as `host` and `dbname` moved to their places in the URL; undefined without a URL.
 *
 * @throws {InvalidOptionError} if `url` is undefined and there is no `host`: TypeORM would connect to localhost.
 * `ConnectionStringError` for a bad URL.
 */
export function urlOf(credentials: Credentials): ConnectionString | undefined {
  if (!credentials.url && (!('url' in credentials) || credentials.host !== undefined)) return undefined
  const url = readDriversUrl(credentials.url)
  return url && normalizeTarget(url)
}

/**
 * The credentials with a normalized URL: TypeORM parses the database name itself, and misreads it if the password contains a raw
 * slash or the host is a socket.
 */
export function withPlainUrl<C extends Credentials>(credentials: C): C {
  const url = urlOf(credentials)
  return url ? { ...credentials, url: url.href } : credentials
}
