export type HealthStatus = 'healthy' | 'warning' | 'critical'

/** What is said of a measure, and what may soon be said of it. */
export interface HealthVerdict {
  readonly status: HealthStatus
  /** The worst of what was found since it has been better. */
  readonly better?: { readonly status: HealthStatus; readonly since: number }
}

const FROM_BAD_TO_GOOD: readonly HealthStatus[] = ['critical', 'warning', 'healthy']

/** Healthy where there is none. */
export function worstOf(statuses: readonly HealthStatus[]): HealthStatus {
  return FROM_BAD_TO_GOOD.find((each) => statuses.includes(each)) ?? 'healthy'
}

/** Worse at once; better when what was found has been better for `recoveryMillis`, and then as good as the worst of that. */
export function holdVerdict(
  held: HealthVerdict | undefined,
  found: HealthStatus,
  { now, recoveryMillis }: { readonly now: number; readonly recoveryMillis: number },
): HealthVerdict {
  if (!held || found === worstOf([held.status, found])) return { status: found }
  const { status, since } = held.better ?? { status: found, since: now }
  const better = { status: worstOf([status, found]), since }
  if (now - since < recoveryMillis) return { status: held.status, better }
  return found === better.status ? { status: found } : { status: better.status, better: { status: found, since: now } }
}
