import type { Session } from './session.ts'

/** Sessions that wait for the locks of one session, directly or behind each other. */
export interface LockChain {
  /** 0 is a prepared transaction, which has no session. */
  readonly rootPid: number
  /** Undefined for a prepared transaction, and for a session that is gone already. */
  readonly root: Session | undefined
  /** The longest wait first. */
  readonly waiters: readonly Session[]
  /** Waits for the root itself, and at least one other session waits behind it. */
  readonly head: Session | undefined
}

/** The chains of sessions that wait for locks, the largest first. */
export function lockChains(sessions: readonly Session[]): readonly LockChain[] {
  const byPid = new Map(sessions.map((session) => [session.pid, session]))
  const waitersOf = new Map<number, Session[]>()
  for (const waiter of sessions) {
    for (const root of rootsOf(waiter, byPid)) {
      const waiters = waitersOf.get(root)
      if (waiters) waiters.push(waiter)
      else waitersOf.set(root, [waiter])
    }
  }
  return [...waitersOf]
    .map(([rootPid, waiters]) => {
      const longestFirst = waiters.toSorted((a, b) => waitOf(b) - waitOf(a))
      return { rootPid, root: byPid.get(rootPid), waiters: longestFirst, head: headOf(longestFirst) }
    })
    .sort((a, b) => b.waiters.length - a.waiters.length)
}

export function waitOf({ lockWaitSeconds }: Session): number {
  return lockWaitSeconds ?? 0
}

/** The pids at the ends of a waiter's chains: they hold locks and do not wait. A cycle, which is a deadlock, has no end. */
function rootsOf(waiter: Session, byPid: ReadonlyMap<number, Session>): ReadonlySet<number> {
  const roots = new Set<number>()
  const seen = new Set<number>([waiter.pid])
  const open = [...waiter.blockedBy]
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    if (seen.has(pid)) continue
    seen.add(pid)
    const blockers = byPid.get(pid)?.blockedBy ?? []
    if (blockers.length === 0) roots.add(pid)
    else open.push(...blockers)
  }
  return roots
}

/** The first of the waiters that others wait behind: ending it lets them pass if they only conflict with it. */
function headOf(waiters: readonly Session[]): Session | undefined {
  return waiters.find(({ pid }) => waiters.some(({ blockedBy }) => blockedBy.includes(pid)))
}
