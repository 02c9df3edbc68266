/**
 * A Grafana dashboard and Prometheus alert rules, as plain data, and what reads the histograms of a snapshot.
 *
 * @module @poolguard/core/dashboards
 */

export { DURATION_BOUNDS_MILLIS, percentileMillis } from '../pool/index.ts'
export { type AlertRule, alertRules, prometheusRuleFile, type Severity } from './alert-rules.ts'
export {
  type GrafanaDashboard,
  type GrafanaPanel,
  type GrafanaVariable,
  grafanaDashboard,
} from './grafana-dashboard.ts'
