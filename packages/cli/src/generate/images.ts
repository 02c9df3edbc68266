/** Container images, pinned, so that an update is a deliberate change. */
export const IMAGES = {
  pgbouncer: 'edoburu/pgbouncer:v1.26.0-p0',
  exporter: 'prometheuscommunity/pgbouncer-exporter:v0.12.0',
  prometheus: 'prom/prometheus:v3.11.0',
  grafana: 'grafana/grafana:12.4.0',
} as const
