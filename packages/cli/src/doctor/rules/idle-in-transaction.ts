import type { ServerFacts } from '../../database/server-facts.ts'
import { t } from '../../output/translate.ts'
import { type ClientProcess, groupByProcess } from '../../sessions/client-process.ts'
import { describeProcess, processData } from '../../sessions/describe-process.ts'
import { describeSession, longest } from '../../sessions/describe-session.ts'
import { isIdleInTransaction, type Session } from '../../sessions/session.ts'
import { alterRole } from '../alter-role.ts'
import { endStep } from '../end-sessions.ts'
import type { Finding, Rule } from '../rule.ts'

/** A shorter pause may be the app's own work between two statements. */
const LONG_SECONDS = 60
/** Several sessions of one process that pause at the same time make a pool run out. */
const MANY_SESSIONS = 3
const MANY_SECONDS = 1

export const idleInTransaction: Rule = {
  id: 'idle-in-transaction',
  title: 'Sessions hold a transaction open and do nothing',
  severity: 'critical',
  check: ({ server }) => {
    if (!server) return []
    return groupByProcess(server.sessions)
      .map((process) => ({ process, paused: process.sessions.filter(isPaused) }))
      .filter(({ process, paused }) => isReported(paused, process))
      .sort((a, b) => b.paused.length - a.paused.length)
      .map(({ process, paused }) => finding(process, paused, server))
  },
}

function isReported(paused: readonly Session[], { sessions }: ClientProcess): boolean {
  const isExhausted = paused.length > 1 && paused.length === sessions.length
  return isExhausted || paused.length >= MANY_SESSIONS || paused.some((session) => pauseOf(session) >= LONG_SECONDS)
}

function isPaused(session: Session): boolean {
  return isIdleInTransaction(session) && pauseOf(session) >= MANY_SECONDS
}

function pauseOf({ stateSeconds }: Session): number {
  return stateSeconds ?? 0
}

function finding(process: ClientProcess, paused: readonly Session[], server: ServerFacts): Finding {
  const { role, sessions } = process
  const [first] = paused.toSorted((a, b) => pauseOf(b) - pauseOf(a)) as [Session]
  const step = endStep(paused, server, {
    state: 'idle in transaction',
    what: (count) =>
      count === 1
        ? t`End the session; its transaction is rolled back.`
        : t`End the ${count} sessions; their transactions are rolled back.`,
  })
  return {
    evidence: t`${paused.length} of ${sessions.length} sessions of ${describeProcess(process)} are idle in transaction, the longest for ${longest(paused.map(pauseOf))}: ${describeSession(first)}.`,
    why: t`Each one keeps its connection and its locks, and stops VACUUM from cleaning up. Enough of them exhaust the pool although the server is idle.`,
    now: step ? [step] : [],
    change: t`Look for slow work between two statements of a transaction (an HTTP call) and for a missing ROLLBACK in an error path. To end such sessions after a minute: \`${alterRole(role, 'idle_in_transaction_session_timeout', '60s')}\`. It applies to new sessions, not to these.`,
    data: {
      ...processData(process),
      idleInTransaction: paused.length,
      idleInTransactionPids: paused.map(({ pid }) => pid),
      longestSeconds: pauseOf(first),
    },
  }
}
