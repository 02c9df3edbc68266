import { expect, test } from 'vitest'
import { ManualClock } from '../pool/testing/manual-clock.ts'
import type { MetricFamily } from './metric-family.ts'
import { renderMetrics } from './prometheus.ts'
import { ScrapedMetrics } from './scraped-metrics.ts'

const family = (value: number): MetricFamily => ({
  name: 'figure',
  type: 'gauge',
  help: 'A figure.',
  samples: [{ labels: {}, value }],
})

test('given 50 concurrent reads, then the source is queried once per interval', async () => {
  let queries = 0
  const collect = async () => [family(++queries)]
  const patient = new ScrapedMetrics(collect, { source: 'x', intervalMillis: 60_000 })
  const answers = await Promise.all(Array.from({ length: 50 }, () => patient.read()))
  expect(queries).toBe(1)
  expect(new Set(answers).size).toBe(1)

  const eager = new ScrapedMetrics(collect, { source: 'x', intervalMillis: 0 })
  await eager.read()
  await eager.read()
  expect(queries).toBe(3)
})

test.each([[''], [undefined], [5]])('given the invalid source name %j, then it throws', (source) => {
  expect(() => new ScrapedMetrics(async () => [], { source: source as never })).toThrow('Invalid option source: ')
})

test('given a source that fails, then poolguard_source_up is 0 and the rest of the page is complete', async () => {
  const down = new ScrapedMetrics(() => Promise.reject(new Error('away')), { source: 'postgres' })
  const up = new ScrapedMetrics(async () => [family(7)], { source: 'pgbouncer' })
  const throws = new ScrapedMetrics(
    () => {
      throw new Error('synchronous')
    },
    { source: 'broken' },
  )
  const { body } = renderMetrics('', [...(await down.read()), ...(await up.read()), ...(await throws.read())])
  expect(body.toString().split('\n')).toEqual([
    expect.stringMatching(/^# HELP poolguard_source_up /),
    '# TYPE poolguard_source_up gauge',
    'poolguard_source_up{source="postgres"} 0',
    'poolguard_source_up{source="pgbouncer"} 1',
    'poolguard_source_up{source="broken"} 0',
    '# HELP figure A figure.',
    '# TYPE figure gauge',
    'figure{source="pgbouncer"} 7',
    '',
  ])
})

test('given an invalid interval, then it throws', () => {
  expect(() => new ScrapedMetrics(async () => [], { source: 'x', intervalMillis: -1 })).toThrow('intervalMillis: -1')
})

test('given a source that does not answer, then the page does not wait for it, and no second query starts', async () => {
  const clock = new ManualClock()
  const queries: PromiseWithResolvers<MetricFamily[]>[] = []
  const collect = () => {
    const query = Promise.withResolvers<MetricFamily[]>()
    queries.push(query)
    return query.promise
  }
  const silent = new ScrapedMetrics(
    collect,
    { source: 'silent', intervalMillis: 0, timeoutMillis: 5 },
    undefined,
    clock,
  )
  const isUp = async () => {
    const reading = silent.read()
    await clock.advance(5)
    return (await reading)[0]?.samples[0]?.value
  }
  for (let i = 0; i < 9; i++) expect(await isUp()).toBe(0)
  expect(queries).toHaveLength(1)

  // After ten timeouts the source is queried again, and the outcome of the first query no longer counts.
  await clock.advance(5)
  const reading = silent.read()
  await clock.advance(0)
  expect(queries).toHaveLength(2)
  queries[0]?.reject(new Error('late'))
  await clock.advance(0)
  queries[1]?.resolve([family(7)])
  expect(await reading).toMatchObject([{ samples: [{ value: 1 }] }, { samples: [{ value: 7 }] }])
})
