import { alertRules, grafanaDashboard, prometheusRuleFile } from '@poolguard/core/dashboards'
import { stringify } from 'yaml'

const RULES_HEAD = '# Made by `pnpm generate:observability` from the definitions in packages/core/src/dashboards.\n'

/** What the files of this folder have to be, by their paths. */
export function observabilityFiles(): Readonly<Record<string, string>> {
  return {
    'grafana/poolguard.json': `${JSON.stringify(grafanaDashboard(), null, 2)}\n`,
    'prometheus/poolguard.rules.yml': rulesText(alertRules()),
  }
}

/** A file of rules, for Prometheus. */
export function rulesText(rules: Parameters<typeof prometheusRuleFile>[0]): string {
  return RULES_HEAD + stringify(prometheusRuleFile(rules), { lineWidth: 0, aliasDuplicateObjects: false })
}
