import { styleText } from 'node:util'
import Table from 'cli-table3'
import type { DemoResult } from './demo.ts'
import type { Figures } from './figures.ts'

/** Renders the figures as a table. */
export function renderTable({ direct, pooler }: DemoResult): string {
  const table = new Table({
    head: ['', 'requests', 'failed', 'p50', 'p99', 'peak server connections'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  })
  table.push(row('6 processes, defaults', direct.unguarded), row('6 processes, poolguard', direct.guarded))
  if ('guarded' in pooler) {
    table.push(row(`200 clients, PgBouncer ${pooler.version}, poolguard`, pooler.guarded))
  }
  return table.toString()
}

function row(title: string, figures: Figures): string[] {
  const { requests, failed, p50Millis, p99Millis, peakConnections } = figures
  return [
    title,
    String(requests),
    styleText(failed > 0 ? 'red' : 'green', String(failed)),
    millis(p50Millis),
    millis(p99Millis),
    String(peakConnections),
  ]
}

function millis(value: number | null): string {
  return value === null ? '-' : `${value.toFixed(1)} ms`
}
