import type { Step } from '../output/step.ts'
import type { Place } from '../project/workload.ts'
import type { Facts } from './facts.ts'

export type { Step } from '../output/step.ts'

/** `critical`: it fails now or under the next peak load. `warning`: it costs resources, or hides a failure. */
export type Severity = 'critical' | 'warning'

export interface Finding {
  /** The numbers, and where doctor found them. Never a password. */
  readonly evidence: string
  readonly why: string
  /** What helps this minute, the most effective step first. */
  readonly now?: readonly Step[]
  /** The permanent change, and what it does not reach. */
  readonly change: string
  /** The evidence for programs: numbers, pids and names, no prose. */
  readonly data: Readonly<Record<string, unknown>>
  /** The line to change. */
  readonly place?: Place
}

/** One check of doctor. Its file is named after its id. */
export interface Rule {
  readonly id: string
  readonly title: string
  readonly severity: Severity
  readonly check: (facts: Facts) => readonly Finding[]
}
