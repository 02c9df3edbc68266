import type { ServerFacts } from '../database/server-facts.ts'
import { joinSentences, t } from '../output/translate.ts'
import { type ClientProcess, countStates, groupByProcess } from '../sessions/client-process.ts'
import { describeProcess, processData } from '../sessions/describe-process.ts'
import { describeSession, longest } from '../sessions/describe-session.ts'
import { lockChains } from '../sessions/lock-chains.ts'
import { isHidden, isIdle, isIdleInTransaction, type Session } from '../sessions/session.ts'
import { endStep } from './end-sessions.ts'
import type { Step } from './rule.ts'

/** A process with a smaller part of the connections is not the cause alone. */
const LARGE_SHARE = 1 / 3

/** The process that holds most of the connections of a limit, and the statement that frees them. */
export interface Blame {
  readonly process: ClientProcess
  /** Who it is and what it holds, in full sentences. */
  readonly evidence: string
  readonly now: readonly Step[]
  readonly data: Readonly<Record<string, unknown>>
}

/** Who uses up a limit: a session that others wait for, or else the process with the most connections. */
export function blame(sessions: readonly Session[], server: ServerFacts): Blame | undefined {
  const [largest] = groupByProcess(sessions)
  return largest && (blameBlocker(sessions, server) ?? blameHolder(largest, sessions, server))
}

/** Sessions that wait for a lock pile up until the limit is reached: their blocker is the cause. */
function blameBlocker(sessions: readonly Session[], server: ServerFacts): Blame | undefined {
  const [chain] = lockChains(server.sessions)
  const root = chain?.root
  const waiting = chain?.waiters.filter((waiter) => sessions.includes(waiter)).length ?? 0
  if (!chain || !root || waiting < sessions.length * LARGE_SHARE) return undefined
  const [process] = groupByProcess([root])
  if (!process) return undefined
  const step = endStep([root], server, { state: 'any', what: () => t`End the session that holds the lock.` })
  return {
    process,
    evidence: t`${waiting} of them wait for a lock of ${describeProcess(process)}; ${describeSession(root)}.`,
    now: step ? [step] : [],
    data: { ...processData(process), blocker: root.pid, waiting },
  }
}

function blameHolder(largest: ClientProcess, sessions: readonly Session[], server: ServerFacts): Blame {
  const held = largest.sessions
  const isLarge = held.length >= sessions.length * LARGE_SHARE
  const name = describeProcess(largest)
  return {
    process: largest,
    evidence: joinSentences(
      t`The most by ${name}: ${held.length} connections (${describeStates(held)}).`,
      oldest(held),
    ),
    now: freeingSteps(isLarge ? held : sessions, server),
    data: { ...processData(largest), ...countStates(held) },
  }
}

function describeStates(sessions: readonly Session[]): string {
  const { idle, idleInTransaction, active, waitingForLock, hidden } = countStates(sessions)
  const longestOf = (is: (session: Session) => boolean) =>
    longest(sessions.filter(is).map(({ stateSeconds }) => stateSeconds))
  return [
    idleInTransaction > 0 &&
      t`${idleInTransaction} idle in transaction, the longest for ${longestOf(isIdleInTransaction)}`,
    idle > 0 && t`${idle} idle, the longest for ${longestOf(isIdle)}`,
    active > 0 && t`${active} active`,
    waitingForLock > 0 && t`${waitingForLock} wait for a lock`,
    hidden > 0 && t`the state of ${hidden} needs pg_read_all_stats`,
  ]
    .filter(Boolean)
    .join('; ')
}

function oldest(sessions: readonly Session[]): string {
  const [first] = sessions.filter((session) => !isHidden(session)).toSorted(byState)
  return first ? t`The longest unchanged is ${describeSession(first)}.` : ''
}

function byState(a: Session, b: Session): number {
  return (b.stateSeconds ?? 0) - (a.stateSeconds ?? 0)
}

/** Ends sessions that do nothing: in a transaction first, because no pool will use them again soon. */
function freeingSteps(sessions: readonly Session[], server: ServerFacts): readonly Step[] {
  const inTransaction = sessions.filter(isIdleInTransaction)
  const idle = sessions.filter((session) => isIdle(session) || isHidden(session))
  const steps = [
    endStep(inTransaction, server, {
      state: 'idle in transaction',
      what: (count) => t`End the ${count} sessions that are idle in transaction; their transactions are rolled back.`,
    }),
    endStep(idle, server, {
      state: 'idle',
      what: (count) => t`End the ${count} idle sessions; a pool opens a connection again when it needs one.`,
    }),
  ].flatMap((step) => step ?? [])
  if (inTransaction.length < idle.length) steps.reverse()
  return steps.length > 0 ? steps : [listStep()]
}

/** All sessions work: ending one of them cancels its query, which a person has to choose. */
function listStep(): Step {
  return {
    text: t`All these sessions are active. List them, the longest query first, and choose.`,
    run: 'npx poolguard free --active --dry-run',
  }
}
