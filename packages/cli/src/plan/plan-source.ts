import { describeTopology, type Topology } from '@poolguard/core'
import {
  type Capacity,
  type ConnectionString,
  connectionsOfOthers,
  type DatabaseLoad,
  describeAddress,
  InvalidAnswerError,
  normalizeTarget,
  type OtherConnections,
  type PoolerCapacity,
  readFleetName,
  readPoolerCapacity,
  type UsageRow,
} from '@poolguard/core/postgres'
import { CannotConnectError } from '../connect-errors/cannot-connect.ts'
import { type PoolerFacts, readPoolerFacts, requirePoolerFacts } from '../database/read-pooler-facts.ts'
import { readServerFacts } from '../database/read-server-facts.ts'
import type { ServerFacts } from '../database/server-facts.ts'
import { environment } from '../environment/own-environment.ts'
import { CannotRunError } from '../outcome.ts'
import { t } from '../output/translate.ts'
import { translateFromCore } from '../output/translate-from-core.ts'
import { isHidden } from '../sessions/session.ts'
import { usageOf } from '../sessions/usage-of.ts'
import { findTarget } from '../target.ts'

/** The limits that a plan uses, and where they come from. */
export interface PlanSource {
  readonly title: string
  /** Limits that the plan does not include, and assumptions. */
  readonly notes: readonly string[]
  readonly capacity: Capacity
  /** For example `18.4`; undefined without a server. */
  readonly version?: string
  /** PostgreSQL or a pooler; undefined without a server. */
  readonly topology?: Topology
  readonly others?: OtherConnections
  readonly pooler?: PoolerCapacity | undefined
  readonly load?: DatabaseLoad | undefined
}

/** Limits from the options, without a server. */
export function sourceByHand(given: { readonly maxConnections?: number; readonly reserved: number }): PlanSource {
  const { maxConnections = 0, reserved } = given
  const limits = { roleLimit: null, databaseLimit: null }
  const capacity = { maxConnections, reserved, ...limits, used: 0, usedByRole: 0, usedByDatabase: 0 }
  return { title: t`Planned without a server`, notes: [], capacity }
}

export interface ServerSourceOptions {
  /** The `application_name`s of this app; default: all sessions of the same role in the same database. */
  readonly app?: readonly string[]
  readonly dotenv?: string
  readonly poolerUrl?: string
}

/** @throws {CannotRunError} if no server is configured, or it cannot be reached. */
export async function readServerSource(url: string | undefined, options: ServerSourceOptions): Promise<PlanSource> {
  const { app, dotenv, poolerUrl } = options
  const place = { folder: process.cwd(), env: environment }
  const target = findTarget({ url, dotenv, ...place })?.url
  if (!target) {
    throw new CannotRunError(
      t`No database configured: pass a URL, set DATABASE_URL or PGHOST, or plan without a server with --max-connections.`,
    )
  }
  const facts = await readServerFacts(target)
  if ('failure' in facts) {
    throw new CannotConnectError(
      t`Cannot connect to ${describeAddress(target)}: ${facts.message}. To plan without the server, pass --max-connections.`,
      facts.help,
    )
  }
  const problems: string[] = []
  const onInvalid = (problem: string) => problems.push(problem)
  const consoleUrl = poolerUrl === undefined ? undefined : findTarget({ url: poolerUrl, ...place })?.url
  const named = consoleUrl && (await requirePoolerFacts(consoleUrl))
  const isPooled = facts.topology.kind === 'pooler'
  const answers = isPooled ? (named ?? (await readPoolerFacts(target, onInvalid))) : undefined
  const pooler = answers && capacityOfPooler(answers, target, facts, onInvalid)
  return {
    title: t`PostgreSQL ${facts.version} at ${describeAddress(target)}: ${translateFromCore(describeTopology(facts.topology))}`,
    notes: [...notesOn(facts, app), ...noteOnPooler(facts, pooler, problems)],
    capacity: capacityOfApp(facts),
    version: facts.version,
    topology: facts.topology,
    others: connectionsOfOthers(usageOf(facts.sessions), oursIn(facts, app)),
    pooler,
    load: facts.load,
  }
}

/** A superuser can use the reserved slots; the app's role cannot. */
function capacityOfApp({ capacity, superuser, openSlots }: ServerFacts): Capacity {
  return superuser ? { ...capacity, reserved: capacity.maxConnections - openSlots } : capacity
}

/** By name; without names, core's default. A superuser's app has another role, so its whole database counts. */
function oursIn(
  { superuser }: ServerFacts,
  app: readonly string[] | undefined,
): ((row: UsageRow) => boolean) | undefined {
  if (app) return ({ application }) => app.includes(readFleetName(application)?.app ?? application)
  return superuser ? ({ sameDatabase }) => sameDatabase : undefined
}

function capacityOfPooler(
  answers: PoolerFacts,
  target: ConnectionString,
  facts: ServerFacts,
  onInvalid: (problem: string) => void,
): PoolerCapacity | undefined {
  const { database = facts.database, user = facts.role } = normalizeTarget(target)
  try {
    return readPoolerCapacity(answers, database, user)
  } catch (error) {
    if (!(error instanceof InvalidAnswerError)) throw error
    onInvalid(error.problem)
    return undefined
  }
}

function notesOn({ sessions, superuser, role, database }: ServerFacts, app: readonly string[] | undefined): string[] {
  const notes: string[] = []
  if (superuser) {
    const counted = app
      ? ''
      : ` ${t`All sessions in ${database} count as the app's; pass --app to count only those with that application_name.`}`
    notes.push(
      t`${role} is a superuser. The plan assumes that the app's role cannot use the reserved slots and has no CONNECTION LIMIT.${counted}`,
    )
  }
  if (sessions.some(isHidden)) {
    notes.push(
      t`The plan may count parallel workers of other roles as connections: this role cannot see their kind. GRANT pg_read_all_stats to see it.`,
    )
  }
  return notes
}

/** Why the plan does not include the pooler's limits. */
function noteOnPooler(
  { topology }: ServerFacts,
  pooler: PoolerCapacity | undefined,
  [problem]: readonly string[],
): string[] {
  if (topology.kind !== 'pooler' || pooler) return []
  return problem === undefined
    ? [
        t`This user cannot read the pooler's console, so the plan divides the server's connections as if there were no pooler. Pass --pooler-url with a user in stats_users.`,
      ]
    : [
        t`The pooler's console gave an invalid answer (${problem}), so the plan divides the server's connections as if there were no pooler.`,
      ]
}
