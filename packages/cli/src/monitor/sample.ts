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

/** Who holds connections at one moment. */
export interface Sample {
  /** ISO 8601. */
  readonly time: string
  readonly used: number
  /** `max_connections` without what is reserved, whoever looks. */
  readonly usable: number
  readonly applications: readonly ApplicationCount[]
}

/** The server did not answer. */
export interface Missed {
  readonly time: string
  readonly error: string
  /** It refused the connection because it has none left for this role. */
  readonly full?: true
}

export const APPLICATION = 'poolguard monitor'

/** Looks once. Never rejects: a server that does not answer is worth a line, too. */
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

/** Over all databases, without this command's own. */
export function countUsage({ openSlots }: OpenSlots, rows: readonly UsageRow[]): Omit<Sample, 'time'> {
  const used = rows.reduce((sum, { connections }) => sum + connections, 0)
  const applications = countByApplication(rows.filter(({ application }) => application !== APPLICATION))
  return { used, usable: openSlots, applications }
}
