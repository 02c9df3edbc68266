import { afterEach, expect, test } from 'vitest'
import { LateQueryReporter } from './late-query-reporter.ts'
import { settled } from './testing/manual-clock.ts'
import { givenPool } from './testing/pool-under-test.ts'

const warnings: Error[] = []
const note = (warning: Error) => warnings.push(warning)

afterEach(() => {
  process.off('warning', note)
  warnings.length = 0
})

async function givenLateQueries({ warnsProcess }: { readonly warnsProcess: boolean }) {
  process.on('warning', note)
  const { pool, clock, events } = givenPool({ captureStacks: 'always' })
  const lease = await pool.acquire()
  await clock.advance(40)
  lease.release()
  await clock.advance(60)
  const reporter = new LateQueryReporter(pool, { warnsProcess })
  return { reporter, lease, late: () => events.filter(({ type }) => type === 'query-after-release') }
}

test('a query after the release is an event with the checkout and the caller of the query, and the error says when both were', async () => {
  const { reporter, lease, late } = await givenLateQueries({ warnsProcess: false })
  const error = reporter.report(lease, { stack: '    at late (/app/late.ts:1:1)', rejected: true })

  expect(error.message).toContain('Pool "app": this checkout began 100 ms ago and ended 60 ms ago')
  expect(late()).toEqual([
    {
      type: 'query-after-release',
      checkout: { acquiredMillisAgo: 100, releasedMillisAgo: 60, acquiredStack: expect.any(String) },
      stack: '    at late (/app/late.ts:1:1)',
      rejected: true,
    },
  ])
  await settled()
  expect(warnings).toEqual([])
})

test('given an app that does not listen to events, then the process is warned once, and each query is an event', async () => {
  const { reporter, lease, late } = await givenLateQueries({ warnsProcess: true })
  for (const at of ['first', 'second'])
    reporter.report(lease, { stack: `    at ${at} (/app/late.ts:1:1)`, rejected: false })
  await settled()

  expect(late()).toMatchObject([{ rejected: false }, { rejected: false }])
  expect(warnings.map(({ name, message }) => [name, message])).toEqual([
    [
      'PoolguardWarning',
      expect.stringMatching(/^Query on a client .* The query was sent\n {4}at first \(\/app\/late\.ts:1:1\)$/s),
    ],
  ])
})
