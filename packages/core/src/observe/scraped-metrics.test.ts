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

test('given many who ask, then the source is asked once per interval', async () => {
  let asked = 0
  const collect = async () => [family(++asked)]
  const patient = new ScrapedMetrics(collect, { source: 'x', intervalMillis: 60_000 })
  const answers = await Promise.all(Array.from({ length: 50 }, () => patient.read()))
  expect(asked).toBe(1)
  expect(new Set(answers).size).toBe(1)

  const eager = new ScrapedMetrics(collect, { source: 'x', intervalMillis: 0 })
  await eager.read()
  await eager.read()
  expect(asked).toBe(3)
})

test.each([[''], [undefined], [5]])('given the name %j, then that is refused: it tells sources apart', (source) => {
  expect(() => new ScrapedMetrics(async () => [], { source: source as never })).toThrow('Invalid option source: ')
})

test('given a source that fails, then that shows, and the page is whole', async () => {
  const down = new ScrapedMetrics(() => Promise.reject(new Error('away')), { source: 'postgres' })
  const up = new ScrapedMetrics(async () => [family(7)], { source: 'pgbouncer' })
  const throws = new ScrapedMetrics(
    () => {
      throw new Error('at once')
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

test('given an interval that cannot be meant, then it is refused', () => {
  expect(() => new ScrapedMetrics(async () => [], { source: 'x', intervalMillis: -1 })).toThrow('intervalMillis: -1')
})

test('given a source that does not answer, then the page does not wait for it, and it is not asked again meanwhile', async () => {
  const clock = new ManualClock()
  const questions: PromiseWithResolvers<MetricFamily[]>[] = []
  const ask = () => {
    const question = Promise.withResolvers<MetricFamily[]>()
    questions.push(question)
    return question.promise
  }
  const silent = new ScrapedMetrics(ask, { source: 'silent', intervalMillis: 0, timeoutMillis: 5 }, clock)
  const isUp = async () => {
    const reading = silent.read()
    await clock.advance(5)
    return (await reading)[0]?.samples[0]?.value
  }
  for (let i = 0; i < 9; i++) expect(await isUp()).toBe(0)
  expect(questions).toHaveLength(1)

  // Nobody answers after so long: it is asked anew, and what the old question comes to is nobody's business.
  await clock.advance(5)
  const reading = silent.read()
  await clock.advance(0)
  expect(questions).toHaveLength(2)
  questions[0]?.reject(new Error('after all'))
  await clock.advance(0)
  questions[1]?.resolve([family(7)])
  expect(await reading).toMatchObject([{ samples: [{ value: 1 }] }, { samples: [{ value: 7 }] }])
})
