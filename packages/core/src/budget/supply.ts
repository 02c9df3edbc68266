import { usableSlots } from './capacity.ts'
import type { PlanInput } from './plan-input.ts'

/** The connections that one server has for the app. */
export interface Supply {
  readonly usable: number
  readonly headroom: number
  readonly migrations: number
  /** May be negative. */
  readonly toShare: number
}

export function supplyOf({ capacity, others, headroom: given, migrations = 0 }: PlanInput): Supply {
  const usable = usableSlots(capacity, others)
  const headroom = given ?? defaultHeadroom(usable)
  return { usable, headroom, migrations, toShare: usable - headroom - migrations }
}

/** Like PostgreSQL's superuser_reserved_connections, which is 3 of 100 by default. */
export const MIN_HEADROOM = 3
export const HEADROOM_SHARE = 0.1

/** The headroom if the user sets none. */
export function defaultHeadroom(usable: number): number {
  // Divide: 70 * 0.1 is 7.000000000000001.
  return Math.max(MIN_HEADROOM, Math.ceil(usable / (1 / HEADROOM_SHARE)))
}
