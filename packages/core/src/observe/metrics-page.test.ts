import { expect, test } from 'vitest'
import type { MetricFamily } from './metric-family.ts'
import { renderPage, requireSources } from './metrics-page.ts'
import { renderMetrics } from './prometheus.ts'
import { registerPool } from './registry.ts'
import { ScrapedMetrics } from './scraped-metrics.ts'
import { forgetClosedPools, observedPool } from './testing/observed-pool.ts'

const family = (value: number, labels = {}): MetricFamily => ({
  ...{ name: 'figure', type: 'gauge', help: 'A figure.' },
  samples: [{ labels, value }],
})

const one = new ScrapedMetrics(async () => [family(1)], { source: 'one:5432/app' })
const other = new ScrapedMetrics(async () => [family(2)], { source: 'other:5432/app' })

test('given sources, then the page has the metrics of the sources and of the pools, each metric once', async () => {
  const remove = registerPool(observedPool('orders'))
  const { body } = await renderPage('', [one, other])
  remove()
  forgetClosedPools()
  const lines = body.toString().split('\n')
  expect(lines.filter((line) => line.startsWith('db_client_connection_max{'))).toHaveLength(1)
  expect(lines.slice(-5)).toEqual([
    '# HELP figure A figure.',
    '# TYPE figure gauge',
    'figure{source="one:5432/app"} 1',
    'figure{source="other:5432/app"} 2',
    '',
  ])
})

test('given two sources with the same labels, then rendering fails instead of dropping one of them', async () => {
  const namesake = new ScrapedMetrics(async () => [family(3)], { source: one.source })
  await expect(renderPage('', [one, namesake])).rejects.toThrow("Invalid option source: 'one:5432/app'")
  const reordered = [family(1, { a: '1', b: '2' }), family(2, { b: '2', a: '1' })]
  expect(() => renderMetrics('', reordered)).toThrow('a different name for each source (metric figure)')
})

test.each<[what: string, option: string, given: unknown]>([
  ['a source instead of an array', 'metrics.sources', one],
  ['a string', 'metrics.sources[1]', [one, 'postgresql://db/app']],
  ['a promise of a source', 'metrics.sources[0]', [Promise.resolve(one)]],
  [
    'two sources with the same name',
    'metrics.sources[1].source',
    [one, new ScrapedMetrics(async () => [], { source: one.source })],
  ],
])('given %s, then the error names %s', (_what, option, given) => {
  expect(() => requireSources('metrics.sources', given)).toThrow(expect.objectContaining({ option }))
})
