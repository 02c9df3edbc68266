import type { ServerFacts } from '../../database/server-facts.ts'
import { joinSentences, t } from '../../output/translate.ts'
import { groupByProcess } from '../../sessions/client-process.ts'
import { describeProcess, processData } from '../../sessions/describe-process.ts'
import { describeSession, longest, sessionData } from '../../sessions/describe-session.ts'
import { type LockChain, lockChains, waitOf } from '../../sessions/lock-chains.ts'
import { isIdleInTransaction, type Session } from '../../sessions/session.ts'
import { alterRole } from '../alter-role.ts'
import { endPrepared } from '../end-prepared.ts'
import { endStep } from '../end-sessions.ts'
import type { Finding, Rule, Step } from '../rule.ts'

/** PostgreSQL's own measure of a long wait: the default of deadlock_timeout, which log_lock_waits uses too. */
const MIN_WAIT_SECONDS = 1
/** The largest chains; each further one is as likely a consequence. */
const MAX_FINDINGS = 3

export const blockingLock: Rule = {
  id: 'blocking-lock',
  title: 'Sessions wait for a lock that another session holds',
  severity: 'critical',
  check: ({ server }) => {
    if (!server) return []
    return lockChains(server.sessions)
      .filter(({ waiters }) => waiters.some((waiter) => waitOf(waiter) >= MIN_WAIT_SECONDS))
      .slice(0, MAX_FINDINGS)
      .map((chain) => finding(chain, server))
  },
}

function finding(chain: LockChain, server: ServerFacts): Finding {
  const { root, rootPid, waiters, head } = chain
  const all = server.sessions.filter(({ lockWaitSeconds }) => lockWaitSeconds !== null).length
  const [process] = root ? groupByProcess([root]) : []
  const wait = longest(waiters.map(waitOf))
  const holder = process && root ? `${describeProcess(process)}; ${describeSession(root)}` : describeRoot(chain)
  return {
    evidence: t`${waiters.length} of ${server.sessions.length} sessions wait for a lock, the longest for ${wait}. It is held by ${holder}.`,
    why: t`Each waiting session keeps its connection. More of them arrive until the pools or the server are full.`,
    now: steps(chain, server),
    change: changeFor(chain),
    data: {
      blocker: root ? sessionData(root) : { pid: rootPid },
      ...(process && { process: processData(process) }),
      waiting: waiters.length,
      waitingInAll: all,
      longestWaitSeconds: Math.max(...waiters.map(waitOf)),
      waitingPids: waiters.map(({ pid }) => pid),
      ...(head && { queuedBehind: sessionData(head) }),
    },
  }
}

function describeRoot({ root, rootPid }: LockChain): string {
  if (rootPid === 0) return t`a prepared transaction, which has no session`
  if (root?.kind === 'autovacuum')
    return t`an autovacuum worker, pid ${rootPid}${root.query === null ? '' : `: ${root.query}`}`
  return root ? describeSession(root) : t`pid ${rootPid}`
}

function steps({ root, rootPid, head }: LockChain, server: ServerFacts): readonly Step[] {
  const found: (Step | undefined)[] = []
  if (rootPid === 0) found.push(...server.preparedTransactions.slice(0, 1).map(endPrepared))
  if (root) found.push(endStep([root], server, { state: 'any', what: () => endText(root) }))
  // Such as ALTER TABLE behind a long query: all others queue behind it, and run at once when it gives up.
  if (head && root && root.kind === 'client' && !isIdleInTransaction(root))
    found.push(
      endStep([head], server, { state: 'any', what: () => t`Or end pid ${head.pid}, which the others queue behind.` }),
    )
  return found.flatMap((step) => step ?? [])
}

function endText(root: Session): string {
  if (root.kind === 'autovacuum') return t`End the autovacuum worker; it starts again later, so take the lock soon.`
  return isIdleInTransaction(root)
    ? t`End the session that holds the lock; its transaction is rolled back.`
    : t`End the session that holds the lock; its query is cancelled and rolled back.`
}

function changeFor({ root, head }: LockChain): string {
  const ofBlocker =
    root && isIdleInTransaction(root)
      ? t`Find the code that leaves the transaction open: slow work between two statements, or a missing ROLLBACK in an error path. To end such transactions after a minute: \`${alterRole(root.role, 'idle_in_transaction_session_timeout', '60s')}\`. It applies to new sessions only.`
      : t`Keep transactions that take strong locks (ALTER TABLE, LOCK, many UPDATEs) short.`
  const [role] = [head?.role, root?.role].filter(Boolean)
  if (!role) return ofBlocker
  return joinSentences(
    ofBlocker,
    t`For migrations, set a limit on the wait, so that they give up instead of stopping everyone: \`SET lock_timeout = '5s'\`.`,
  )
}
