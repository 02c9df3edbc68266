import type { Facts } from './facts.ts'

/** `critical`: it fails now or under the next peak load. `warning`: it costs resources, or hides a failure. */
export type Severity = 'critical' | 'warning'

export interface Finding {
  /** The numbers, and where doctor found them. Never a password. */
  readonly evidence: string
  readonly why: string
  /** The exact change; each step is on its own line, ready to copy. */
  readonly change: string
}

/** One check of doctor. Its file is named after its id. */
export interface Rule {
  readonly id: string
  readonly title: string
  readonly severity: Severity
  readonly check: (facts: Facts) => readonly Finding[]
}
