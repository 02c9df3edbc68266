import { type AssumedEndpoint, type ConnectionString, PGBOUNCER_CONSOLE, type Surge } from '@poolguard/core/postgres'
import type { PoolerFacts } from '../database/look-at-pooler.ts'
import type { ServerFacts, Unreached } from '../database/server-facts.ts'
import type { PoolerSettings, ProjectFacts } from '../project/project-facts.ts'

/** All that the rules go by. What could not be looked at is undefined, and rules that need it keep silent. */
export interface Facts {
  /** What the app connects to, and who says so. */
  readonly target: { readonly url: ConnectionString; readonly source: string } | undefined
  /** There is a URL past the pooler. */
  readonly hasDirectUrl: boolean
  /** What stands at that address by its provider's rules; a guess until the server was reached. */
  readonly endpoint: AssumedEndpoint | undefined
  readonly server: ServerFacts | undefined
  readonly unreached: Unreached | undefined
  /** What PgBouncer's console answers. */
  readonly pooler: PoolerFacts | undefined
  readonly project: ProjectFacts
  /** As given on the command line. */
  readonly instances: number | undefined
  readonly maxSurge: Surge | undefined
}

/** Whether clients share server connections: measured, or else guessed from the address and the project's files. */
export function throughTransactionPooler({ server, endpoint, target, project }: Facts): boolean {
  if (server) return server.topology.kind === 'pooler' && server.topology.pooler.mode !== 'session'
  // Where no address is known, a pooler that the project has is what the app connects to.
  if (endpoint === 'pooler' || !target) return project.pgBouncer?.values.get('pool_mode') === 'transaction'
  return endpoint === 'transaction-pooler'
}

/** PgBouncer's settings: as it runs, or else as the project's files have them. */
export function poolerSettings({ pooler, project }: Facts): PoolerSettings | undefined {
  if (!pooler) return project.pgBouncer
  const values = [...pooler.config].map(([name, { value }]) => [name, value] as const)
  const databases = pooler.databases.filter(({ name }) => name !== PGBOUNCER_CONSOLE).length
  return {
    source: `PgBouncer ${pooler.version}, SHOW CONFIG`,
    values: new Map(values),
    databases: Math.max(1, databases),
  }
}

/** More digits are no setting. */
const WHOLE_NUMBER = /^\d{1,10}$/

/** A setting as a number; undefined where it is not set, or is a variable. */
export function settingOf(settings: PoolerSettings, name: string): number | undefined {
  const value = settings.values.get(name)
  return value === undefined || !WHOLE_NUMBER.test(value) ? undefined : Number(value)
}

/** Whether the project has poolguard, which reads URLs and limits for itself. */
export function usesPoolguard({ project }: Facts): boolean {
  return [...project.packages.keys()].some((name) => name.startsWith('@poolguard/'))
}
