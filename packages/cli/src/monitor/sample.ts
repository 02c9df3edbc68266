import {
  classifyConnectFailure,
  readOneRow,
  readRows,
  readUsage,
  USAGE_QUERY,
  type UsageRow,
} from '@poolguard/core/postgres'
import type { Pool } from '../database/contact.ts'
import { type ApplicationCount, countByApplication } from '../database/count-by-application.ts'
import { OPEN_SLOTS_QUERY, type OpenSlots, readOpenSlots } from '../database/open-slots.ts'
import { withPlainTexts } from '../output/printable.ts'

/** The connections of each application at one moment. */
export interface Sample {
  /** ISO 8601. */
  readonly time: string
  readonly used: number
  /** `max_connections` without the reserved slots, for any role. */
  readonly usable: number
  readonly applications: readonly ApplicationCount[]
}

/** A sample that failed. */
export interface Missed {
  readonly time: string
  readonly error: string
  /** The server has no connection left for this role. */
  readonly full?: true
}

export const APPLICATION = 'poolguard monitor'

/** Takes one sample. Never rejects: an error is a sample too. */
export async function takeSample(pool: Pool): Promise<Sample | Missed> {
  const time = new Date().toISOString()
  try {
    const slots = readOneRow('the query for open slots', (await pool.query(OPEN_SLOTS_QUERY)).rows, readOpenSlots)
    const usage = readRows('the query for the connections', (await pool.query(USAGE_QUERY)).rows, readUsage)
    return { time, ...countUsage(slots, withPlainTexts(usage)) }
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    return {
      time,
      error: withPlainTexts(cause instanceof Error ? cause.message : String(cause)),
      ...(classifyConnectFailure(cause) === 'full' && { full: true }),
    }
  }
}

/** Counts connections to all databases, without those of this command. */
export function countUsage({ openSlots }: OpenSlots, rows: readonly UsageRow[]): Omit<Sample, 'time'> {
  const used = rows.reduce((sum, { connections }) => sum + connections, 0)
  const applications = countByApplication(rows.filter(({ application }) => application !== APPLICATION))
  return { used, usable: openSlots, applications }
}
