import { labels, POOLER } from './names.ts'

/** Scrapes every pod with these labels (Prometheus Operator). */
function podMonitor(name: string, port: string) {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PodMonitor',
    metadata: { name, labels: labels(name) },
    spec: {
      selector: { matchLabels: labels(name) },
      podMetricsEndpoints: [{ port, path: '/metrics', interval: '15s' }],
    },
  }
}

/** PodMonitors of the app and, with a Deployment of its own, of PgBouncer's exporter. */
export function podMonitors(app: string, hasExporter: boolean): readonly object[] {
  return [podMonitor(app, 'http'), ...(hasExporter ? [podMonitor(POOLER, 'metrics')] : [])]
}
