import { grafanaDashboard } from '@poolguard/core/dashboards'
import { stringify } from 'yaml'
import type { Generated, GeneratedFile } from './generated-file.ts'

/** The dashboards directory in the Grafana container. */
export const DASHBOARDS_FOLDER = '/var/lib/grafana/dashboards'

/** The dashboard and Grafana's provisioning files. */
export function generateGrafana(): Generated {
  return {
    files: grafanaFiles(),
    next: [
      `Mount grafana/provisioning at /etc/grafana/provisioning, and grafana/dashboards at ${DASHBOARDS_FOLDER}.`,
      'Set the address of your Prometheus in grafana/provisioning/datasources/poolguard.yml, and restart Grafana.',
      'Or import grafana/dashboards/poolguard.json by hand: Dashboards, New, Import.',
    ],
  }
}

export function grafanaFiles(): readonly GeneratedFile[] {
  const source = {
    name: 'Prometheus',
    type: 'prometheus',
    url: 'http://prometheus:9090',
    access: 'proxy',
    isDefault: true,
  }
  const provider = { name: 'poolguard', type: 'file', options: { path: DASHBOARDS_FOLDER } }
  return [
    {
      path: 'grafana/provisioning/datasources/poolguard.yml',
      content: stringify({ apiVersion: 1, datasources: [source] }),
    },
    {
      path: 'grafana/provisioning/dashboards/poolguard.yml',
      content: stringify({ apiVersion: 1, providers: [provider] }),
    },
    { path: 'grafana/dashboards/poolguard.json', content: `${JSON.stringify(grafanaDashboard(), null, 2)}\n` },
  ]
}
