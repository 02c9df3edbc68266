import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { runWithLabel } from './caller-context.ts'
import { LabelledWaits, OTHER_LABEL } from './durations.ts'
import { givenPool } from './testing/pool-under-test.ts'

test('given callers under labels, then their waits are counted by label, independent of the releasing caller', async () => {
  const { pool, clock } = givenPool({ max: 1 })
  const first = await runWithLabel('first', async () => {
    await pause(0)
    return pool.acquire()
  })
  const waiting = runWithLabel('second', () => pool.acquire())
  await clock.advance(40)
  first.release()
  ;(await waiting).release()
  ;(await pool.acquire()).release()

  const { wait, waitByLabel } = pool.stats()
  expect(wait.count).toBe(3)
  expect(waitByLabel).toMatchObject({ first: { count: 1, sumMillis: 0 }, second: { count: 1, sumMillis: 40 } })
  expect(Object.keys(waitByLabel)).toEqual(['first', 'second'])
})

test('given more labels than the maximum, then the later ones are counted under one label', () => {
  const waits = new LabelledWaits()
  for (let i = 0; i < 10_000; i++) waits.record(`/orders/${i}`, 1)
  waits.record('/orders/7', 1)
  const read = waits.read()
  expect(Object.keys(read)).toHaveLength(201)
  expect([read['/orders/7']?.count, read[OTHER_LABEL]?.count]).toEqual([2, 9_800])
})

test('given a label that is known only later, then callers have it from then on', async () => {
  const { pool } = givenPool({ max: 1 })
  let route: string | undefined
  await runWithLabel(
    () => route,
    async () => {
      ;(await pool.acquire()).release()
      route = 'GET /orders/:id'
      ;(await pool.acquire()).release()
    },
  )
  const { wait, waitByLabel } = pool.stats()
  expect([wait.count, Object.keys(waitByLabel), waitByLabel['GET /orders/:id']?.count]).toEqual([
    2,
    ['GET /orders/:id'],
    1,
  ])
})
