import type { Diagnosis } from '../doctor/diagnose.ts'
import type { ConnectionLimit } from '../sum/connection-limit.ts'
import type { ConnectionSum } from '../sum/sum-connections.ts'

/** The sum of one deployment against its limit. */
export interface CheckedSum {
  readonly sum: ConnectionSum
  /** Undefined if neither an option nor a file says it. */
  readonly limit: ConnectionLimit | undefined
}

/** What `check` found; each format prints it in its own way. */
export interface CheckReport {
  readonly sums: readonly CheckedSum[]
  /** Findings, the most urgent first. Their places are relative to the working directory. */
  readonly findings: readonly Diagnosis[]
  /** Files that were read. */
  readonly read: readonly string[]
  /** Files and parts of files that were recognized and left out, and why. */
  readonly ignored: readonly string[]
  readonly exitCode: 0 | 1 | 2
  /** The result in a sentence. */
  readonly verdict: string
}

export type CheckFormat = 'text' | 'json' | 'sarif' | 'github'
