import { usableSlots } from './capacity.ts'
import type { PlanInput } from './plan-input.ts'

/** What one server has for the app. */
export interface Supply {
  readonly usable: number
  readonly headroom: number
  readonly migrations: number
  /** May be negative. */
  readonly toShare: number
}

export function supplyOf({ capacity, others, headroom: wished, migrations = 0 }: PlanInput): Supply {
  const usable = usableSlots(capacity, others)
  const headroom = wished ?? defaultHeadroom(usable)
  return { usable, headroom, migrations, toShare: usable - headroom - migrations }
}

/** The idea is PostgreSQL's own: superuser_reserved_connections is 3 of 100 by default. */
export const MIN_HEADROOM = 3
export const HEADROOM_SHARE = 0.1

/** For whoever gives none. */
export function defaultHeadroom(usable: number): number {
  // Divided: 70 * 0.1 is more than 7.
  return Math.max(MIN_HEADROOM, Math.ceil(usable / (1 / HEADROOM_SHARE)))
}
