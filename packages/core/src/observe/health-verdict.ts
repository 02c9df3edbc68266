export type HealthStatus = 'healthy' | 'warning' | 'critical'

/** The reported status of a measure, and the better status that it may get soon. */
export interface HealthVerdict {
  readonly status: HealthStatus
  /** While the measure recovers: the worst status since the recovery started. */
  readonly better?: { readonly status: HealthStatus; readonly since: number }
}

const WORST_FIRST: readonly HealthStatus[] = ['critical', 'warning', 'healthy']

/** The worst of several statuses; healthy for an empty list. */
export function worstOf(statuses: readonly HealthStatus[]): HealthStatus {
  return WORST_FIRST.find((each) => statuses.includes(each)) ?? 'healthy'
}

/**
 * A worse status applies immediately. A better one applies once all statuses have been better for `recoveryMillis`: the verdict
 * is then the worst status of that time.
 */
export function nextVerdict(
  previous: HealthVerdict | undefined,
  found: HealthStatus,
  { now, recoveryMillis }: { readonly now: number; readonly recoveryMillis: number },
): HealthVerdict {
  if (!previous || found === worstOf([previous.status, found])) return { status: found }
  const { status, since } = previous.better ?? { status: found, since: now }
  const better = { status: worstOf([status, found]), since }
  if (now - since < recoveryMillis) return { status: previous.status, better }
  return found === better.status ? { status: found } : { status: better.status, better: { status: found, since: now } }
}
