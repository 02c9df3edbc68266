import type { FactsInput } from './facts.ts'

/** A situation, and what a rule says about it. */
export interface Case {
  readonly given: string
  readonly facts: FactsInput
  /** Part of the finding's text. Without it, the rule must find nothing. */
  readonly says?: string
}
