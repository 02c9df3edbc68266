import type { HealthMeasures } from './health-measures.ts'
import type { HealthThreshold } from './health-thresholds.ts'
import type { HealthStatus } from './health-verdict.ts'

/** The current status of a measure, and the status that the health report shows. */
export interface HealthFinding {
  readonly value: number
  readonly threshold: HealthThreshold
  /** The status by the value alone. */
  readonly found: HealthStatus
  /** The status that the report shows: `found`, or the previous status while the measure recovers. */
  readonly reported: HealthStatus
}

/** How to print the value of each measure, and a sentence about it. */
const TEXTS: Readonly<
  Record<keyof HealthMeasures, { show(value: number): string; readonly describe: (shown: string) => string }>
> = {
  activeShare: { show: percent, describe: (shown) => `${shown} of max are in use` },
  waiters: { show: String, describe: (shown) => `${shown} callers wait` },
  meanWaitMillis: {
    show: (value) => `${Math.round(value)} ms`,
    describe: (shown) => `callers wait ${shown} on average`,
  },
  connectErrorShare: { show: percent, describe: (shown) => `${shown} of the attempts to connect fail` },
}

/** Describes a problem in a sentence; undefined if the measure is healthy. */
export function healthReason(name: keyof HealthMeasures, finding: HealthFinding): string | undefined {
  const { value, threshold, found, reported } = finding
  if (reported === 'healthy') return undefined
  const { show, describe } = TEXTS[name]
  const problem = describe(show(value))
  if (found !== reported) return `${problem}, recovering from ${reported}`
  return `${problem} (${reported} from ${show(threshold[reported])})`
}

/** Small shares have one decimal. */
function percent(value: number): string {
  const percents = value * 100
  return `${Number(percents.toFixed(percents < 10 ? 1 : 0))} %`
}
