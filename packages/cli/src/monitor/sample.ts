import type { Pool } from '../database/contact.ts'
import type { OpenSlots } from '../database/open-slots.ts'
import { readServerMoment, type ServerMissed } from '../database/read-server-moment.ts'
import type { ReadSessionsOptions } from '../database/read-sessions.ts'
import { groupByProcess } from '../sessions/client-process.ts'
import { processSummary } from '../sessions/describe-process.ts'
import { type ApplicationCount, countByApplication } from '../sessions/group-by-application.ts'
import { clientSessions, type Session } from '../sessions/session.ts'
import type { PoolerMissed, PoolerSample } from './watch-pooler.ts'

/** The connections of each application and process at one moment. */
export interface Sample {
  /** ISO 8601. */
  readonly time: string
  readonly used: number
  /** `max_connections` without the reserved slots, for any role. */
  readonly usable: number
  readonly applications: readonly ApplicationCount[]
  readonly processes: readonly Readonly<Record<string, unknown>>[]
  /** With --pooler-url. */
  readonly pooler?: PoolerSample | PoolerMissed
}

/** A line should stay readable; the others are in the counts. */
const MAX_PROCESSES = 50

/** A sample that failed. */
export interface Missed extends ServerMissed {
  readonly time: string
  /** With --pooler-url. */
  readonly pooler?: PoolerSample | PoolerMissed
}

export const APPLICATION = 'poolguard monitor'

/** Takes one sample. Never rejects: an error is a sample too. */
export async function takeSample(pool: Pool, options: ReadSessionsOptions): Promise<Sample | Missed> {
  const time = new Date().toISOString()
  const moment = await readServerMoment(pool, options)
  return { time, ...('error' in moment ? moment : countSessions(moment, moment.sessions)) }
}

/** Counts connections to all databases, without the one that asks. */
export function countSessions({ openSlots }: OpenSlots, sessions: readonly Session[]): Omit<Sample, 'time' | 'pooler'> {
  const clients = clientSessions(sessions).filter(({ isOwn }) => !isOwn)
  const others = clients.filter(({ application }) => application !== APPLICATION)
  return {
    used: clients.length,
    usable: openSlots,
    applications: countByApplication(others),
    processes: groupByProcess(others).slice(0, MAX_PROCESSES).map(processSummary),
  }
}
