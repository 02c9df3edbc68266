import { expect, test } from 'vitest'
import { runWithLabel } from './caller-context.ts'
import { onPoolEvents } from './channels.ts'
import { settled } from './testing/manual-clock.ts'
import { givenPool } from './testing/pool-under-test.ts'

const session = { inTransaction: true, lastStatement: 'select ?' }

test('given leases and waiters, then they are reported by age, with labels, and without those of the pool itself', async () => {
  const { pool, clock } = givenPool({ max: 3, leakThresholdMillis: 1_500, captureStacks: 'never' })
  const first = await runWithLabel('GET /a', () => pool.acquire())
  await clock.advance(2_000)
  await pool.acquire()
  await pool.acquire({ internal: 'queued' })
  const waits = ['GET /b', 'GET /c'].map((label) => runWithLabel(label, () => pool.acquire()))
  const ended = Promise.allSettled([...waits, pool.acquire({ internal: 'first' })])
  await clock.advance(100)

  const { borrowed, waiting } = pool.callers(10, () => session)
  expect(borrowed).toEqual([
    {
      ...session,
      id: expect.any(Number),
      label: 'GET /a',
      heldMillis: 2_100,
      quietMillis: 2_100,
      stack: null,
      suspected: true,
      lane: null,
    },
    {
      ...session,
      id: expect.any(Number),
      label: null,
      heldMillis: 100,
      quietMillis: 100,
      stack: null,
      suspected: false,
      lane: null,
    },
  ])
  expect(waiting).toEqual([
    { label: 'GET /b', lane: null, waitedMillis: 100 },
    { label: 'GET /c', lane: null, waitedMillis: 100 },
  ])
  const bounded = pool.callers(1, () => session)
  expect([bounded.borrowed, bounded.waiting].map((each) => each.length)).toEqual([1, 1])
  expect(bounded.borrowed[0]?.id).toBe(borrowed[0]?.id)

  first.release()
  await settled()
  expect(pool.callers(10, () => session).borrowed.map(({ id }) => id)).not.toContain(borrowed[0]?.id)
  void pool.drain(0)
  await clock.advance(1)
  await ended
})

test('given a listener for all pools, then it gets the events of each with the name of its pool', async () => {
  const events: string[] = []
  onPoolEvents((pool, { type }) => events.push(`${pool} ${type}`))
  const { pool } = givenPool({}, {})
  await pool.acquire()
  pool.resize({ max: 2 })

  expect(events).toEqual([`${pool.name} opened`, `${pool.name} resized`])
})

test('given a pool with lanes, then each caller names its lane', async () => {
  const { pool, clock } = givenPool({ max: 2 }, { lanes: { jobs: { max: 1 } } })
  await pool.acquire({ lane: 'jobs' })
  const ended = Promise.allSettled([pool.acquire({ lane: 'jobs' })])
  await pool.acquire()

  const { borrowed, waiting } = pool.callers(10, () => session)
  expect(borrowed.map(({ lane }) => lane)).toEqual(['jobs', 'default'])
  expect(waiting.map(({ lane }) => lane)).toEqual(['jobs'])
  void pool.drain(0)
  await clock.advance(1)
  await ended
})
