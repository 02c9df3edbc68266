import type { HealthMeasures } from './health-measures.ts'
import type { HealthThreshold } from './health-thresholds.ts'
import type { HealthStatus } from './health-verdict.ts'

/** What was found of a measure, and what is told of it. */
export interface HealthFinding {
  readonly value: number
  readonly threshold: HealthThreshold
  /** By the value. */
  readonly found: HealthStatus
  /** The same, or still what it was before. */
  readonly told: HealthStatus
}

/** How a measure's values look, and what is said of one. */
const WORDS: Readonly<
  Record<keyof HealthMeasures, { show(value: number): string; readonly say: (shown: string) => string }>
> = {
  activeShare: { show: percent, say: (shown) => `${shown} of max are in use` },
  waiters: { show: String, say: (shown) => `${shown} callers wait` },
  meanWaitMillis: { show: (value) => `${Math.round(value)} ms`, say: (shown) => `callers wait ${shown} on average` },
  connectErrorShare: { show: percent, say: (shown) => `${shown} of the attempts to connect fail` },
}

/** What is not as it should be, as a sentence; undefined where all is well. */
export function healthReason(name: keyof HealthMeasures, finding: HealthFinding): string | undefined {
  const { value, threshold, found, told } = finding
  if (told === 'healthy') return undefined
  const { show, say } = WORDS[name]
  const said = say(show(value))
  return found === told ? `${said} (${told} from ${show(threshold[told])})` : `${said}, recovering from ${told}`
}

/** Small shares are told more closely. */
function percent(value: number): string {
  const percents = value * 100
  return `${Number(percents.toFixed(percents < 10 ? 1 : 0))} %`
}
