import {
  ConnectionString,
  type CredentialSource,
  describeAddress,
  hiddenTexts,
  hideSecrets,
  type KnownSecrets,
  normalizeTarget,
  PoolGuard,
  type ServerAddress,
  shownDatabase,
} from '@poolguard/core/adapter'
import { negotiateDirectly } from '../connection/negotiate-directly.ts'
import type { PostgresConnection } from '../connection/postgres-connection.ts'
import type { SqlSpec } from '../guarded-options.ts'
import type { ParsedOptions } from '../internals.ts'
import type { QueryCheck } from './run-query.ts'
import type { SharedQueries } from './shared-queries.ts'

/** The part of a `sql` that is loaded with its first connection. */
export interface LoadedHalf {
  queries: SharedQueries | undefined
}

export interface GuardParts {
  readonly shared: ParsedOptions
  /** See `isSince348`. */
  readonly isRecent: boolean
  readonly credentials: CredentialSource | undefined
  readonly secrets: KnownSecrets
  readonly check: QueryCheck
  readonly half: LoadedHalf
}

/** Creates the guard of a `sql`. The half that works on connections is loaded with the first one. */
export function makeGuard(
  spec: SqlSpec,
  { shared, isRecent, credentials, secrets, check, half }: GuardParts,
): PoolGuard<PostgresConnection> {
  const { host, port, database, user } = shared
  const hosts = host.map((name, index) => ({ host: name, port: port[index] ?? 5432 }))
  const address = spec.guard.connection ?? new ConnectionString({ hosts, database, user })
  const hidden = hiddenTexts(address)
  const servers = shared.path ? socketAt(shared.path) : hosts
  hideSecrets(shared, hidden)
  for (const text of [...hidden, shared.pass]) secrets.add(text)
  const warnings = [...(spec.guard.warnings ?? []), ...negotiateDirectly(shared, spec.driver.sslnegotiation)]
  const guardSpec = {
    ...spec.guard,
    warnings,
    hosts: spec.planHosts(servers),
    name: spec.guard.name ?? nameOf(address, database),
    target: describeAddress(address),
    secrets,
    againstPipelining: isRecent
      ? undefined
      : 'this version of postgres.js settles queries too early (3.4.8 and later do not)',
  }
  const guard: PoolGuard<PostgresConnection> = new PoolGuard(guardSpec, async () => {
    const { makeConnectedHalf } = await import('./connected-half.ts')
    return (connections) => {
      const made = makeConnectedHalf({ guard, shared, fetchTypes: spec.fetchTypes, credentials, check }, connections)
      half.queries = made.queries
      return made.driver
    }
  })
  return guard
}

/** The folder of a Unix socket is its host, as in libpq. A socket with another name of its own cannot be chosen among hosts. */
function socketAt(path: string): readonly ServerAddress[] {
  const [, host, port] = /^(.+)\/\.s\.PGSQL\.(\d+)$/.exec(path) ?? []
  return host === undefined ? [] : [{ host, port: Number(port) }]
}

/** The database's name; `***` if it may be a part of a password. */
function nameOf(address: ConnectionString, database: string): string {
  return normalizeTarget(address).shown().database ?? shownDatabase(database) ?? 'postgres'
}
