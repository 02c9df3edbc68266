import { readFleetName } from '@poolguard/core/postgres'
import { isHidden, isIdle, isIdleInTransaction, type LocalProcess, type Session } from './session.ts'

/** The sessions of one process, or of one address if its processes are indistinguishable. */
export interface ClientProcess {
  /** `application_name`; may be empty. Of a fleet's instance, `app#id`. */
  readonly application: string
  readonly role: string
  readonly databases: readonly string[]
  /** Null for a Unix socket, or if the role may not see it. */
  readonly address: string | null
  readonly ports: readonly number[]
  /** The process on this machine, if it runs here. */
  readonly localProcess: LocalProcess | undefined
  /** Whether all sessions belong to one process. Otherwise several processes may share the address and the name. */
  readonly isOneProcess: boolean
  readonly isBehindPooler: boolean
  readonly sessions: readonly Session[]
}

/**
 * Groups the sessions of clients by process, the one with the most sessions first. A process is known if it runs on this
 * machine or if it is an instance of a fleet; otherwise the address, application_name and role stand for it.
 */
export function groupByProcess(sessions: readonly Session[]): readonly ClientProcess[] {
  const groups = new Map<string, Session[]>()
  for (const session of sessions) {
    if (session.kind !== 'client') continue
    const key = keyOf(session)
    const group = groups.get(key)
    if (group) group.push(session)
    else groups.set(key, [session])
  }
  return [...groups.values()].map(processOf).sort((a, b) => b.sessions.length - a.sessions.length)
}

function keyOf(session: Session): string {
  const { localProcess, role } = session
  const { application, address } = clientOf(session)
  return JSON.stringify(localProcess ? [localProcess.pid] : [address, instanceOf(application), role, isHidden(session)])
}

function processOf(sessions: readonly Session[]): ClientProcess {
  const [first] = sessions as [Session]
  const { application, address } = clientOf(first)
  return {
    application: instanceOf(application),
    role: first.role,
    databases: [...new Set(sessions.map(({ database }) => database))],
    address,
    ports: sessions.flatMap((session) => clientOf(session).port ?? []),
    localProcess: first.localProcess,
    isOneProcess: first.localProcess !== undefined || readFleetName(application)?.instance !== undefined,
    isBehindPooler: first.poolerClient !== undefined,
    sessions,
  }
}

/** The client at the far end: of a server connection of PgBouncer, PgBouncer's client. */
export function clientOf({ poolerClient, application, address, port }: Session): {
  application: string
  address: string | null
  port: number | null
} {
  return poolerClient ?? { application, address, port }
}

/** The name without the figures that a fleet's instance publishes. */
function instanceOf(application: string): string {
  return readFleetName(application)?.instance ?? application
}

export interface StateCounts {
  readonly idle: number
  readonly idleInTransaction: number
  readonly active: number
  /** Of `active`: waits for a lock. */
  readonly waitingForLock: number
  /** States that the role may not see. */
  readonly hidden: number
}

export function countStates(sessions: readonly Session[]): StateCounts {
  const count = (is: (session: Session) => boolean) => sessions.filter(is).length
  const idle = count(isIdle)
  const idleInTransaction = count(isIdleInTransaction)
  const hidden = count(isHidden)
  return {
    idle,
    idleInTransaction,
    active: sessions.length - idle - idleInTransaction - hidden,
    waitingForLock: count(({ lockWaitSeconds }) => lockWaitSeconds !== null),
    hidden,
  }
}
