import { readFleetName } from '@poolguard/core/postgres'
import { clientOf } from './client-process.ts'
import { clientSessions, type Session } from './session.ts'

/** The sessions of one application and role. */
export interface ApplicationSessions {
  /** `application_name`; of a fleet, the app. May be empty. */
  readonly application: string
  readonly role: string
  readonly sessions: readonly Session[]
  /** Fleets only: the number of processes, if their names contain it. */
  readonly instances?: number
}

export interface ApplicationCount {
  readonly application: string
  readonly role: string
  readonly connections: number
  /** Fleets only: the number of processes, if their names contain it. */
  readonly instances?: number
}

/** Groups the sessions of clients by application and role, the largest group first. The instances of a fleet are one application. */
export function groupByApplication(sessions: readonly Session[]): readonly ApplicationSessions[] {
  const groups = new Map<string, { application: string; role: string; sessions: Session[]; instances: Set<string> }>()
  for (const session of clientSessions(sessions)) {
    const { role } = session
    const name = clientOf(session).application
    const fleet = readFleetName(name)
    const application = fleet?.app ?? name
    const key = JSON.stringify([application, role])
    const group = groups.get(key) ?? { application, role, sessions: [], instances: new Set() }
    groups.set(key, group)
    group.sessions.push(session)
    if (fleet?.instance !== undefined) group.instances.add(fleet.instance)
  }
  return [...groups.values()]
    .map(({ instances, ...group }) => ({ ...group, ...(instances.size > 0 && { instances: instances.size }) }))
    .sort((a, b) => b.sessions.length - a.sessions.length)
}

/** One count for each application and role, the largest first. */
export function countByApplication(sessions: readonly Session[]): readonly ApplicationCount[] {
  return groupByApplication(sessions).map(({ sessions: own, ...group }) => ({ ...group, connections: own.length }))
}
