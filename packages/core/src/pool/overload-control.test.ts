import { describe, expect, test } from 'vitest'
import { OverloadControl } from './overload-control.ts'

interface Given {
  readonly connections?: number
  readonly isAtLimit?: () => boolean
  readonly random?: () => number
}

function givenControl({ connections = 10, isAtLimit = () => true, random = () => 0 }: Given = {}): OverloadControl {
  return new OverloadControl({ connections: () => connections, isAtLimit, random })
}

function served(control: OverloadControl, millis: number, times = 1): OverloadControl {
  for (let i = 0; i < times; i++) control.onServed(millis)
  return control
}

describe('the usual service time', () => {
  test('is the mean of the first checkouts', () => {
    const control = served(served(givenControl(), 10), 30)

    expect(control.serviceMillis).toBe(20)
  })

  test('follows a lasting change', () => {
    const control = served(served(givenControl(), 10, 200), 100, 500)

    expect(control.serviceMillis).toBeGreaterThan(90)
  })

  test('hardly changes with one leaked connection', () => {
    const control = served(served(givenControl(), 10, 200), 3_600_000)

    expect(control.serviceMillis).toBeLessThan(10.5)
  })
})

describe('an overload', () => {
  test.for([
    { service: 1, connections: 10, interval: 100, patience: 10, what: 'short queries' },
    {
      service: 200,
      connections: 10,
      interval: 400,
      patience: 80,
      what: 'slow queries: a burst of them is no overload',
    },
    { service: 200, connections: 1, interval: 800, patience: 800, what: 'slow queries on one connection' },
  ])('begins after the interval, given $what', ({ service, connections, interval, patience }) => {
    const control = served(givenControl({ connections }), service)
    control.begin(1_000)

    expect([control.intervalMillis, control.patienceMillis, control.marginMillis]).toEqual([
      interval,
      patience,
      2 * service,
    ])
    expect(control.isOverloaded(1_000 + interval)).toBe(false)
    expect(control.isOverloaded(1_001 + interval)).toBe(true)
  })

  test('ends when the queue empties, and begins anew with the next queue', () => {
    const control = served(givenControl(), 1)
    control.begin(0)
    control.stop()
    expect(control.isOverloaded(1_000)).toBe(false)
    control.begin(1_000)

    expect(control.isOverloaded(1_100)).toBe(false)
    expect(control.isOverloaded(1_101)).toBe(true)
  })

  test('does not begin while connections are being opened', () => {
    let isAtLimit = false
    const control = served(givenControl({ isAtLimit: () => isAtLimit }), 1)
    control.begin(0)
    expect(control.isOverloaded(5_000)).toBe(false)
    isAtLimit = true

    expect(control.isOverloaded(5_100)).toBe(false)
    expect(control.isOverloaded(5_101)).toBe(true)
  })

  test('goes on if rejections have emptied the queue, until none was needed for an interval', () => {
    const control = served(givenControl(), 1)
    control.begin(0)
    control.onShed(150)
    control.stop()
    control.begin(200)
    expect(control.isOverloaded(200)).toBe(true)
    control.stop()
    control.begin(251)

    expect(control.isOverloaded(251)).toBe(false)
    expect(control.isOverloaded(352)).toBe(true)
  })

  test('is unknown before the first checkout has ended', () => {
    const control = givenControl()
    control.begin(0)

    expect(control.isOverloaded(5_000)).toBe(false)
  })
})

test.for([
  { what: 'no overload', lasted: -1, least: 1_000 },
  { what: 'a short one', lasted: 200, least: 1_000 },
  { what: 'a longer one', lasted: 4_000, least: 4_000 },
  { what: 'a long one', lasted: 60_000, least: 10_000 },
])('rejected callers should pause for as long as the overload has lasted: $what', ({ lasted, least }) => {
  const pauses = [0, 0.5, 1].map((random) => {
    const control = served(givenControl({ random: () => random }), 1)
    control.begin(0)
    return control.retryAfterMillis(100 + lasted)
  })

  expect(pauses).toEqual([least, least * 1.5, least * 2])
})
