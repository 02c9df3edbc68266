import { describeTopology, InvalidAnswerError, type Topology } from '@poolguard/core'
import {
  type Capacity,
  type ConnectionString,
  connectionsOfOthers,
  type DatabaseLoad,
  describeAddress,
  normalizeTarget,
  type OtherConnections,
  type PoolerCapacity,
  readFleetName,
  readPoolerCapacity,
  type UsageRow,
} from '@poolguard/core/postgres'
import { lookAtPooler } from '../database/look-at-pooler.ts'
import { lookAtServer } from '../database/look-at-server.ts'
import type { ServerFacts } from '../database/server-facts.ts'
import { environment } from '../environment/own-environment.ts'
import { CannotRunError } from '../outcome.ts'
import { findTarget } from '../target.ts'

/** What a plan goes by, and where that comes from. */
export interface PlanSource {
  readonly title: string
  /** What the plan does not see. */
  readonly notes: readonly string[]
  readonly capacity: Capacity
  /** Such as `18.4`; undefined without a server. */
  readonly version?: string
  /** What is at the other end; undefined without a server. */
  readonly topology?: Topology
  readonly others?: OtherConnections
  readonly pooler?: PoolerCapacity | undefined
  readonly load?: DatabaseLoad | undefined
}

/** Without a server, from what was given. */
export function sourceByHand(given: { readonly maxConnections?: number; readonly reserved: number }): PlanSource {
  const { maxConnections = 0, reserved } = given
  const limits = { roleLimit: null, databaseLimit: null }
  const capacity = { maxConnections, reserved, ...limits, used: 0, usedByRole: 0, usedByDatabase: 0 }
  return { title: 'Without a server, from the numbers given', notes: [], capacity }
}

export interface ServerSourceOptions {
  /** The `application_name`s that are ours; without them all of the same role in the same database. */
  readonly app?: readonly string[]
  readonly dotenv?: string
  readonly poolerUrl?: string
}

/** @throws {CannotRunError} where no server is named, or it cannot be asked. */
export async function readServerSource(url: string | undefined, options: ServerSourceOptions): Promise<PlanSource> {
  const { app, dotenv, poolerUrl } = options
  const place = { folder: process.cwd(), env: environment }
  const target = findTarget({ url, dotenv, ...place })?.url
  if (!target) {
    throw new CannotRunError('Say where the database is (a URL, DATABASE_URL or PGHOST), or give --max-connections.')
  }
  const facts = await lookAtServer(target)
  if ('failure' in facts) {
    const room = facts.failure === 'full' ? ' `poolguard doctor` says how to make room.' : ''
    throw new CannotRunError(
      `${describeAddress(target)} cannot be asked: ${facts.message}.${room} Give --max-connections to plan without it.`,
    )
  }
  const consoleUrl = poolerUrl === undefined ? target : (findTarget({ url: poolerUrl, ...place })?.url ?? target)
  const problems: string[] = []
  const onInvalid = (problem: string) => problems.push(problem)
  const pooler = facts.topology.kind === 'pooler' ? await readPooler(consoleUrl, target, facts, onInvalid) : undefined
  return {
    title: `PostgreSQL ${facts.version} at ${describeAddress(target)}: ${describeTopology(facts.topology)}`,
    notes: [...notesOn(facts, app), ...noteOnPooler(facts, pooler, problems)],
    capacity: capacityOfApp(facts),
    version: facts.version,
    topology: facts.topology,
    others: connectionsOfOthers(facts.usage, oursIn(facts, app)),
    pooler,
    load: facts.load,
  }
}

/** No app is to be planned as a superuser, who gets into the reserved slots. */
function capacityOfApp({ capacity, superuser, openSlots }: ServerFacts): Capacity {
  return superuser ? { ...capacity, reserved: capacity.maxConnections - openSlots } : capacity
}

/** By name; or else as core picks them, but for a superuser, whose app has another role. */
function oursIn(
  { superuser }: ServerFacts,
  app: readonly string[] | undefined,
): ((row: UsageRow) => boolean) | undefined {
  if (app) return ({ application }) => app.includes(readFleetName(application)?.app ?? application)
  return superuser ? ({ sameDatabase }) => sameDatabase : undefined
}

async function readPooler(
  consoleUrl: ConnectionString,
  target: ConnectionString,
  facts: ServerFacts,
  onInvalid: (problem: string) => void,
): Promise<PoolerCapacity | undefined> {
  const answers = await lookAtPooler(consoleUrl, onInvalid)
  const { database = facts.database, user = facts.role } = normalizeTarget(target)
  try {
    return answers && readPoolerCapacity(answers, database, user)
  } catch (error) {
    if (!(error instanceof InvalidAnswerError)) throw error
    onInvalid(error.problem)
    return undefined
  }
}

function notesOn({ usage, superuser, role, database }: ServerFacts, app: readonly string[] | undefined): string[] {
  const notes: string[] = []
  if (superuser) {
    const counted = app ? '' : ` All sessions in ${database} count as the app's; --app names them.`
    notes.push(
      `${role} is a superuser; planned as for a role that may not use the reserved slots and has no CONNECTION LIMIT.${counted}`,
    )
  }
  if (usage.some(({ hidden }) => hidden > 0)) {
    notes.push(
      'Sessions of other roles may be parallel workers, which take no connection: their kind is hidden from this role (pg_read_all_stats shows it).',
    )
  }
  return notes
}

/** Why the pooler's limits are not in the plan. */
function noteOnPooler(
  { topology }: ServerFacts,
  pooler: PoolerCapacity | undefined,
  [problem]: readonly string[],
): string[] {
  if (topology.kind !== 'pooler' || pooler) return []
  const plan = "so this plan divides the server's connections as if no pooler were there."
  return problem === undefined
    ? [`The pooler's console did not let this user look, ${plan} Give --pooler-url with a user in stats_users.`]
    : [`The pooler's console cannot be believed, ${plan} ${problem.charAt(0).toUpperCase()}${problem.slice(1)}.`]
}
