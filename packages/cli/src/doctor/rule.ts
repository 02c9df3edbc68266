import type { Facts } from './facts.ts'

/** `critical`: it fails now or on the next busy day. `warning`: it costs, or hides a failure. */
export type Severity = 'critical' | 'warning'

export interface Finding {
  /** What was seen, with the numbers and where. Never a password. */
  readonly evidence: string
  readonly why: string
  /** The exact change; steps on lines of their own, so that they can be copied. */
  readonly change: string
}

/** One thing to look for. Its file is named after its id. */
export interface Rule {
  readonly id: string
  readonly title: string
  readonly severity: Severity
  readonly check: (facts: Facts) => readonly Finding[]
}
