import { expect, test } from 'vitest'
import { runWithLabel } from './caller-context.ts'
import { ObservedLeases, type ObservedLeasesOptions } from './observed-leases.ts'
import type { PoolEvent } from './pool-events.ts'
import { ManualClock } from './testing/manual-clock.ts'

function givenObserved(settings: ObservedLeasesOptions<string>['settings'] = {}) {
  const clock = new ManualClock()
  const events: PoolEvent[] = []
  let max = 10
  const leases = new ObservedLeases<string>({
    name: 'theirs',
    max: () => max,
    settings,
    probe: { activityOf: () => 0, runningQueryOf: () => undefined, isListening: () => false },
    onEvent: (event) => events.push(event),
    clock,
  })
  const resize = (to: number) => {
    max = to
  }
  return { leases, clock, events, resize }
}

test('counts the leases of an observed pool, how long callers waited and how long they held', async () => {
  const { leases, clock } = givenObserved()
  await clock.advance(50)
  const request = leases.request(givenObserved)
  await clock.advance(100)
  leases.begin('a', request)
  leases.begin('b', leases.request(givenObserved))
  await clock.advance(400)
  leases.end('a')
  leases.end('a')
  leases.end('never leased')

  expect(leases.stats()).toMatchObject({
    takenAtMillis: 550,
    max: 10,
    limit: 10,
    active: 1,
    acquired: 2,
    wait: { count: 2, sumMillis: 100 },
    usage: { count: 1, sumMillis: 400 },
    leasedMillis: 800,
    capacityMillis: 5_500,
  })
})

test('counts a wait under the label of its caller', async () => {
  const { leases, clock } = givenObserved()
  const request = runWithLabel('GET /orders', () => leases.request(givenObserved))
  await clock.advance(30)
  leases.begin('a', request)

  expect(leases.stats().waitByLabel).toMatchObject({ 'GET /orders': { count: 1, sumMillis: 30 } })
})

test('given a pool that is resized, then its share in use is measured against its new max from then on', async () => {
  const { leases, clock, resize } = givenObserved()
  await clock.advance(100)
  resize(20)
  expect(leases.stats()).toMatchObject({ max: 20, limit: 20, capacityMillis: 1_000 })
  await clock.advance(100)
  expect(leases.stats().capacityMillis).toBe(3_000)
})

test('reports a suspected leak after the threshold of the observed pool, and its release', async () => {
  const { leases, clock, events } = givenObserved({ leakThresholdMillis: 1_000 })
  leases.begin('a', leases.request(givenObserved))
  await clock.advance(1_000)
  expect(events).toMatchObject([{ type: 'leak', lease: { heldMillis: 1_000 } }])
  expect(leases.stats()).toMatchObject({ leaks: 1, suspectedLeaks: 1 })

  leases.end('a')
  expect(events.at(-1)).toMatchObject({ type: 'leak-returned' })
  expect(leases.stats()).toMatchObject({ leaks: 1, suspectedLeaks: 0, active: 0 })
})

test('given settings that are undefined, then those of pools hold', async () => {
  const { leases, clock, events } = givenObserved({ leakThresholdMillis: undefined })
  leases.begin('a', leases.request(givenObserved))
  await clock.advance(59_999)
  expect(events).toEqual([])
  await clock.advance(1)
  expect(events).toMatchObject([{ type: 'leak' }])
})

test('after a stop, no lease is watched', async () => {
  const { leases, clock, events } = givenObserved()
  leases.begin('a', leases.request(givenObserved))
  leases.stop()
  expect(clock.timers).toBe(0)
  await clock.advance(600_000)
  expect(events).toEqual([])
})
