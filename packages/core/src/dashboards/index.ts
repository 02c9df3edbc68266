/**
 * A Grafana dashboard and Prometheus alert rules, as plain data.
 *
 * @module @poolguard/core/dashboards
 */

export { type AlertRule, alertRules, prometheusRuleFile, type Severity } from './alert-rules.ts'
export {
  type GrafanaDashboard,
  type GrafanaPanel,
  type GrafanaVariable,
  grafanaDashboard,
} from './grafana-dashboard.ts'
