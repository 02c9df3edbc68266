import { describeSeconds } from '../../output/describe-seconds.ts'
import { joinSentences, t } from '../../output/translate.ts'
import { describeSession, sessionData } from '../../sessions/describe-session.ts'
import { clientSessions, type Session } from '../../sessions/session.ts'
import { endStep } from '../end-sessions.ts'
import type { Rule } from '../rule.ts'

/** An autovacuum worker gets its locks and pages within a moment, or it skips the table. */
const MIN_WAIT_SECONDS = 5
const WAITS = /^(?:Lock|BufferPin|Buffer):/

export const stuckAutovacuum: Rule = {
  id: 'stuck-autovacuum',
  title: 'Autovacuum waits for a session',
  severity: 'warning',
  check: ({ server }) => {
    if (!server) return []
    return server.sessions.filter(isStuck).map((worker) => {
      const blocker = blockerOf(worker, server.sessions)
      const step =
        blocker && endStep([blocker], server, { state: 'any', what: () => t`End the session that it waits for.` })
      return {
        evidence: joinSentences(
          t`The autovacuum worker ${worker.pid} waits (${worker.waitEvent}), and has been running for ${describeSeconds(runtimeOf(worker))}: ${worker.query ?? ''}.`,
          blocker && t`It most likely waits for ${describeSession(blocker)}.`,
        ),
        why: t`The table grows meanwhile, a worker is missing for other tables, and in the end the server has to stop for transaction ID wraparound.`,
        now: step ? [step] : [],
        change: t`Keep transactions and cursors short: an open cursor keeps a page from being cleaned. Set idle_in_transaction_session_timeout for the role.`,
        data: { worker: sessionData(worker), ...(blocker && { blocker: sessionData(blocker) }) },
      }
    })
  },
}

function runtimeOf({ transactionSeconds, stateSeconds }: Session): number {
  return transactionSeconds ?? stateSeconds ?? 0
}

function isStuck(session: Session): boolean {
  const { kind, waitEvent, lockWaitSeconds } = session
  return (
    kind === 'autovacuum' && WAITS.test(waitEvent ?? '') && (lockWaitSeconds ?? runtimeOf(session)) >= MIN_WAIT_SECONDS
  )
}

/** Who holds a lock is known. A page is pinned by some open transaction: the oldest one in this database is the best guess. */
function blockerOf(worker: Session, sessions: readonly Session[]): Session | undefined {
  const [pid] = worker.blockedBy
  if (pid !== undefined) return sessions.find((session) => session.pid === pid)
  return clientSessions(sessions)
    .filter(({ database, transactionSeconds }) => database === worker.database && transactionSeconds !== null)
    .toSorted((a, b) => (b.transactionSeconds ?? 0) - (a.transactionSeconds ?? 0))[0]
}
