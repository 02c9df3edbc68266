import { classifyConnectFailure, readOneRow } from '@poolguard/core/postgres'
import type { Pool } from '../database/contact.ts'
import { OPEN_SLOTS_QUERY, type OpenSlots, readOpenSlots } from '../database/open-slots.ts'
import { type ReadSessionsOptions, readSessions } from '../database/read-sessions.ts'
import { messageOf } from '../output/message-of.ts'
import { withPlainTexts } from '../output/printable.ts'
import { groupByProcess } from '../sessions/client-process.ts'
import { type ApplicationCount, countByApplication } from '../sessions/count-by-application.ts'
import { processSummary } from '../sessions/describe-process.ts'
import { clientSessions, type Session } from '../sessions/session.ts'
import { usageOf } from '../sessions/usage-of.ts'
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
export interface Missed {
  readonly time: string
  readonly error: string
  /** The server has no connection left for this role. */
  readonly full?: true
  /** With --pooler-url. */
  readonly pooler?: PoolerSample | PoolerMissed
}

export const APPLICATION = 'poolguard monitor'

/** Takes one sample. Never rejects: an error is a sample too. */
export async function takeSample(pool: Pool, options: ReadSessionsOptions): Promise<Sample | Missed> {
  const time = new Date().toISOString()
  try {
    const slots = readOneRow('the query for open slots', (await pool.query(OPEN_SLOTS_QUERY)).rows, readOpenSlots)
    const { sessions } = await readSessions(pool, options)
    return { time, ...countSessions(slots, withPlainTexts(sessions)) }
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    return {
      time,
      error: withPlainTexts(messageOf(cause)),
      ...(classifyConnectFailure(cause) === 'full' && { full: true }),
    }
  }
}

/** Counts connections to all databases, without the one that asks. */
export function countSessions({ openSlots }: OpenSlots, sessions: readonly Session[]): Omit<Sample, 'time' | 'pooler'> {
  const clients = clientSessions(sessions).filter(({ isOwn }) => !isOwn)
  const others = clients.filter(({ application }) => application !== APPLICATION)
  return {
    used: clients.length,
    usable: openSlots,
    applications: countByApplication(usageOf(others)),
    processes: groupByProcess(others).slice(0, MAX_PROCESSES).map(processSummary),
  }
}
