import { alertRules, prometheusRuleFile } from '@poolguard/core/dashboards'
import { stringify } from 'yaml'
import type { Generated, GeneratedFile } from './generated-file.ts'

export interface PrometheusInput {
  /** Host and port of each instance's page of metrics. */
  readonly targets: readonly string[]
  /** A name that stands for all instances, however many there are. */
  readonly discovered?: { readonly host: string; readonly port: number } | undefined
  /** Host and port of pgbouncer_exporter. */
  readonly pgBouncerExporter?: string | undefined
}

/** Prometheus' configuration and the alert rules. */
export function generatePrometheus(input: PrometheusInput): Generated {
  return {
    files: prometheusFiles(input),
    next: [
      'promtool check config prometheus/prometheus.yml',
      'prometheus --config.file=prometheus/prometheus.yml',
      'Each instance has to show its page: metrics: true of @poolguard/fastify or @poolguard/nestjs, or renderMetrics().',
    ],
  }
}

export function prometheusFiles({ targets, discovered, pgBouncerExporter }: PrometheusInput): readonly GeneratedFile[] {
  const app = {
    job_name: 'app',
    metrics_path: '/metrics',
    ...(targets.length > 0 && { static_configs: [{ targets }] }),
    ...(discovered && {
      dns_sd_configs: [{ names: [discovered.host], type: 'A', port: discovered.port, refresh_interval: '10s' }],
    }),
  }
  const pgBouncer = { job_name: 'pgbouncer', static_configs: [{ targets: [pgBouncerExporter] }] }
  const configuration = {
    global: { scrape_interval: '15s', evaluation_interval: '15s' },
    rule_files: ['poolguard.rules.yml'],
    scrape_configs: pgBouncerExporter === undefined ? [app] : [app, pgBouncer],
  }
  return [
    { path: 'prometheus/prometheus.yml', content: yaml('# Made by `poolguard generate`.', configuration) },
    {
      path: 'prometheus/poolguard.rules.yml',
      content: yaml('# Alerts of @poolguard/core/dashboards.', prometheusRuleFile(alertRules())),
    },
  ]
}

function yaml(head: string, value: object): string {
  return `${head}\n${stringify(value, { lineWidth: 0, aliasDuplicateObjects: false })}`
}
