import type { Facts } from './facts.ts'
import type { Finding, Severity } from './rule.ts'
import { RULES } from './rules/index.ts'

export interface Diagnosis extends Finding {
  readonly rule: string
  readonly title: string
  readonly severity: Severity
}

/** The findings of all rules, critical ones first. */
export function diagnose(facts: Facts): readonly Diagnosis[] {
  const found = RULES.flatMap(({ id, title, severity, check }) =>
    check(facts).map((finding) => ({ rule: id, title, severity, ...finding })),
  )
  return [
    ...found.filter(({ severity }) => severity === 'critical'),
    ...found.filter(({ severity }) => severity !== 'critical'),
  ]
}
