import { readFleetName } from '@poolguard/core/postgres'
import { lockChains, waitOf } from '../sessions/lock-chains.ts'
import { clientSessions, isHidden, isIdle, isIdleInTransaction, type Session } from '../sessions/session.ts'

/** Why a session may be ended. */
export type Reason = 'blocks others' | 'idle in transaction' | 'idle' | 'active'

export interface Candidate {
  readonly reason: Reason
  readonly session: Session
  /** Sessions that wait for its locks. */
  readonly waiting: number
}

export interface Choice {
  /** `application_name`; of a fleet, the app. Default: all. */
  readonly application?: string | undefined
  /** Default: all. */
  readonly role?: string | undefined
  /** Replaces the least age of every reason. */
  readonly olderThanSeconds?: number | undefined
  /** Also sessions that run a query. */
  readonly includesActive?: boolean | undefined
  /** The most sessions to end, in the order of the reasons. */
  readonly limit?: number | undefined
}

/** From this age on, a session is a candidate: a shorter pause is the ordinary work of an app or a pool. */
const MIN_SECONDS: Readonly<Record<Reason, number>> = {
  'blocks others': 1,
  'idle in transaction': 60,
  idle: 300,
  active: 60,
}

/** The most effective first: one blocker can free all that wait for it, and idle sessions lose nothing. */
export const REASONS: readonly Reason[] = ['blocks others', 'idle in transaction', 'idle', 'active']

/** poolguard's own sessions have these names. */
const OWN = /^poolguard /

/**
 * The sessions that may be ended, the most effective reason first, and within a reason the longest first. Never a session of a
 * superuser, of replication, of PostgreSQL itself or of poolguard.
 */
export function selectCandidates(sessions: readonly Session[], choice: Choice): readonly Candidate[] {
  const blockers = blockersIn(sessions, choice.olderThanSeconds ?? MIN_SECONDS['blocks others'])
  const found = clientSessions(sessions)
    .filter((session) => mayEnd(session) && isChosen(session, choice))
    .flatMap((session): Candidate | [] => {
      const waiting = blockers.get(session.pid) ?? 0
      const reason = waiting > 0 ? 'blocks others' : reasonOf(session, choice)
      return reason ? { reason, session, waiting } : []
    })
  return found
    .toSorted((a, b) => REASONS.indexOf(a.reason) - REASONS.indexOf(b.reason) || b.waiting - a.waiting || byAge(a, b))
    .slice(0, choice.limit ?? found.length)
}

function mayEnd(session: Session): boolean {
  return !session.isProtected && !session.isOwn && !isHidden(session) && !OWN.test(session.application)
}

function isChosen({ application, role }: Session, choice: Choice): boolean {
  const name = readFleetName(application)?.app ?? application
  const isApplication = choice.application === undefined || [application, name].includes(choice.application)
  return isApplication && (choice.role === undefined || choice.role === role)
}

/** The number of sessions that wait for each blocker, if one of them has waited for long enough. */
function blockersIn(sessions: readonly Session[], seconds: number): ReadonlyMap<number, number> {
  const chains = lockChains(sessions).filter(({ waiters }) => waiters.some((waiter) => waitOf(waiter) >= seconds))
  return new Map(chains.map(({ rootPid, waiters }) => [rootPid, waiters.length]))
}

function reasonOf(session: Session, { olderThanSeconds, includesActive = false }: Choice): Reason | undefined {
  const isOlder = (reason: Reason, seconds: number | null) =>
    (seconds ?? 0) >= (olderThanSeconds ?? MIN_SECONDS[reason])
  if (isIdleInTransaction(session))
    return isOlder('idle in transaction', session.stateSeconds) ? 'idle in transaction' : undefined
  if (isIdle(session)) return isOlder('idle', session.stateSeconds) ? 'idle' : undefined
  // A session that waits for a lock is a victim, not a cause.
  if (!includesActive || session.lockWaitSeconds !== null) return undefined
  return isOlder('active', session.querySeconds) ? 'active' : undefined
}

function byAge(a: Candidate, b: Candidate): number {
  return (b.session.stateSeconds ?? 0) - (a.session.stateSeconds ?? 0)
}

/** The candidates that are still the same after some time: a session that has worked since is no candidate any more. */
export function stillCandidates(chosen: readonly Candidate[], now: readonly Candidate[]): readonly Candidate[] {
  const present = new Map(now.map((candidate) => [candidate.session.pid, candidate]))
  return chosen.flatMap(({ session, reason }) => {
    const found = present.get(session.pid)
    const isSame =
      found?.session.startedAt === session.startedAt &&
      found.reason === reason &&
      (reason === 'blocks others' || found.session.changedAt === session.changedAt)
    return found && isSame ? [found] : []
  })
}
