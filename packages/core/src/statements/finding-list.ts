import type { StatementFinding } from './statement-finding.ts'

/** Shared by all texts without findings, so that they allocate no array. */
export const NO_FINDINGS: readonly StatementFinding[] = Object.freeze([])

/** Findings in order of appearance, each construct once. */
export class FindingList {
  #findings: Map<string, StatementFinding> | undefined

  add(finding: StatementFinding | undefined): void {
    if (!finding) return
    this.#findings ??= new Map()
    if (!this.#findings.has(finding.construct)) this.#findings.set(finding.construct, finding)
  }

  toArray(): readonly StatementFinding[] {
    return this.#findings ? Object.freeze([...this.#findings.values()]) : NO_FINDINGS
  }
}
