import { rulePage } from '../output/documentation.ts'
import type { Facts } from './facts.ts'
import type { Finding, Severity } from './rule.ts'
import { RULES } from './rules/index.ts'

export interface Diagnosis extends Finding {
  readonly rule: string
  readonly title: string
  readonly severity: Severity
  /** Address of the rule's documentation. */
  readonly page: string
}

/** The findings of all rules, critical ones first, and in the order of {@link RULES}: the most urgent rule first. */
export function diagnose(facts: Facts): readonly Diagnosis[] {
  const found = RULES.flatMap(({ id, title, severity, check }) =>
    check(facts).map((finding) => ({ rule: id, title, severity, page: rulePage(id), ...finding })),
  )
  return [
    ...found.filter(({ severity }) => severity === 'critical'),
    ...found.filter(({ severity }) => severity !== 'critical'),
  ]
}
