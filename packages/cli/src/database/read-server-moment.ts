import { classifyConnectFailure, readOneRow } from '@poolguard/core/postgres'
import { messageOf } from '../output/message-of.ts'
import { withPlainTexts } from '../output/printable.ts'
import type { Session } from '../sessions/session.ts'
import type { Pool } from './contact.ts'
import { OPEN_SLOTS_QUERY, type OpenSlots, readOpenSlots } from './open-slots.ts'
import { type ReadSessionsOptions, readSessions } from './read-sessions.ts'

/** The sessions of a server at one moment. */
export interface ServerMoment extends OpenSlots {
  readonly sessions: readonly Session[]
  /** Sessions beyond the list. */
  readonly unlisted: number
}

/** The server could not be read. */
export interface ServerMissed {
  readonly error: string
  /** The server has no connection left for this role. */
  readonly full?: true
}

/** Reads the sessions once. Never rejects: an error is an answer too. */
export async function readServerMoment(pool: Pool, options: ReadSessionsOptions): Promise<ServerMoment | ServerMissed> {
  try {
    const slots = readOneRow('the query for open slots', (await pool.query(OPEN_SLOTS_QUERY)).rows, readOpenSlots)
    const { sessions, unlisted } = await readSessions(pool, options)
    return withPlainTexts({ ...slots, sessions, unlisted })
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    return {
      error: withPlainTexts(messageOf(cause)),
      ...(classifyConnectFailure(cause) === 'full' && { full: true }),
    }
  }
}
