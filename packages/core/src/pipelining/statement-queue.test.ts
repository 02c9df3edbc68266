import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RoundTrip } from './round-trip.ts'
import { StatementProfile } from './statement-profile.ts'
import { MAX_BYTES, MAX_DEPTH, type QueuedStatement, StatementQueue } from './statement-queue.ts'

const SHARE_WITHIN = 10

function givenQueue(): { queue: StatementQueue<QueuedStatement>; roundTrip: RoundTrip } {
  const roundTrip = new RoundTrip()
  return { queue: new StatementQueue(SHARE_WITHIN, roundTrip), roundTrip }
}

/** A statement whose service time was measured behind another one, several times. */
function statement(millis: number | undefined, bytes = 100): QueuedStatement {
  const profile = new StatementProfile('select 1')
  if (millis !== undefined) for (let times = 0; times < 20; times++) profile.service.record(millis, true, 1_000)
  return { profile, bytes }
}

describe('given a fast statement in flight', () => {
  test('then another fast one may follow, and its expected wait is the rest of the time ahead', () => {
    const { queue } = givenQueue()
    queue.add(statement(4), 0)
    expect(queue.reasonAgainst(statement(1), 0)).toBeUndefined()
    expect(queue.expectedMillis(0)).toBeCloseTo(4)
    expect(queue.expectedMillis(3)).toBeCloseTo(1)
    queue.add(statement(2), 3)
    expect(queue.expectedMillis(3)).toBeCloseTo(3)
  })

  test('then no unknown and no slow one may follow', () => {
    const { queue } = givenQueue()
    queue.add(statement(1), 0)
    expect(queue.reasonAgainst(statement(undefined), 0)).toBe('it is unknown')
    expect(queue.reasonAgainst(statement(50), 0)).toBe('it is slow')
  })

  test('when it exceeds its expectation, then nothing may follow until it is answered', () => {
    const { queue } = givenQueue()
    const head = statement(1)
    queue.add(head, 0)
    expect(queue.reasonAgainst(statement(1), 7)).toBe('the head takes longer than expected')
    queue.add(statement(1), 7)
    queue.finish(head, 8, false)
    expect(queue.reasonAgainst(statement(1), 8)).toBeUndefined()
  })

  test('then the expected time ahead is bounded', () => {
    const { queue } = givenQueue()
    queue.add(statement(6), 0)
    queue.add(statement(6), 0)
    expect(queue.reasonAgainst(statement(1), 0)).toBe('the expected time ahead is too long')
  })

  test('then depth and bytes are bounded', () => {
    const { queue } = givenQueue()
    for (let depth = 0; depth < MAX_DEPTH; depth++) queue.add(statement(0.01), 0)
    expect(queue.reasonAgainst(statement(0.01), 0)).toBe(`${MAX_DEPTH} statements are in flight`)
    const { queue: other } = givenQueue()
    other.add(statement(1, MAX_BYTES - 99), 0)
    expect(other.reasonAgainst(statement(1), 0)).toBe(`${MAX_BYTES} bytes are in flight`)
  })

  test('when it refuses, then nothing may follow until it is empty', () => {
    const { queue } = givenQueue()
    const head = statement(1)
    queue.add(head, 0)
    queue.refuse('a reason')
    queue.refuse('another reason')
    expect(queue.reasonAgainst(statement(1), 0)).toBe('a reason')
    queue.finish(head, 1, false)
    queue.add(head, 1)
    expect(queue.reasonAgainst(statement(1), 1)).toBeUndefined()
  })
})

describe('given an unknown or slow statement in flight', () => {
  test.each([undefined, 50])('of %s ms, then nothing may follow', (millis) => {
    const { queue } = givenQueue()
    queue.add(statement(millis), 0)
    expect(queue.reasonAgainst(statement(1), 0)).toBe('a statement ahead is unknown or slow')
  })
})

describe('the time on the network', () => {
  test('is no part of the service time', () => {
    const { queue, roundTrip } = givenQueue()
    const [first, second, third] = [statement(undefined), statement(undefined), statement(undefined)] as const
    queue.add(first, 0)
    queue.finish(first, 50, false)
    queue.add(second, 100)
    queue.finish(second, 151, false)
    expect(roundTrip.millis).toBe(50)
    expect(second.profile.service.mean).toBe(1)
    expect(second.profile.service.isObserved).toBe(false)
    // Sent together: the second one is ready to run when the first one ends.
    queue.add(second, 200)
    queue.add(third, 200)
    queue.finish(second, 251, false)
    queue.finish(third, 253, false)
    expect(third.profile.service).toMatchObject({ mean: 2, isObserved: true })
  })

  test('hides a slow statement at first, so that at most one statement follows until it was measured behind another one', () => {
    const { queue } = givenQueue()
    const slow = statement(undefined)
    queue.add(slow, 0)
    queue.finish(slow, 50, false)
    expect(slow.profile.service.mean).toBe(0)
    queue.add(slow, 50)
    expect(queue.reasonAgainst(slow, 50)).toBeUndefined()
    const behind = { ...slow }
    queue.add(behind, 50)
    expect(queue.reasonAgainst({ ...slow }, 50)).toMatch(/never been measured behind/)
    queue.finish(slow, 100, false)
    queue.finish(behind, 150, false)
    expect(slow.profile.isFast(SHARE_WITHIN)).toBe(false)
  })

  test('does not make a head overdue', () => {
    const { queue, roundTrip } = givenQueue()
    roundTrip.record(50, 0)
    queue.add(statement(1), 0)
    expect(queue.isOverdue(55)).toBe(false)
    expect(queue.isOverdue(57)).toBe(true)
  })

  test('is measured anew when the route changes', () => {
    const { roundTrip } = givenQueue()
    roundTrip.record(1, 0)
    roundTrip.record(80, 31_000)
    expect(roundTrip.millis).toBe(1)
    roundTrip.record(80, 62_000)
    expect(roundTrip.millis).toBe(80)
    roundTrip.record(90, 500_000)
    expect(roundTrip.millis).toBe(90)
  })
})

test('given a failure, then only a longer time is learned', () => {
  const { queue } = givenQueue()
  const failing = statement(5)
  queue.add(failing, 0)
  queue.finish(failing, 1, true)
  expect(failing.profile.service.mean).toBe(5)
  for (const at of [1_000, 3_000, 5_000]) {
    queue.add(failing, at)
    queue.finish(failing, at + 1_000, true)
  }
  expect(failing.profile.isFast(SHARE_WITHIN)).toBe(false)
})

test('given one pause among many fast executions, then the statement stays fast', () => {
  const { queue } = givenQueue()
  const fast = statement(0.3)
  queue.add(fast, 0)
  queue.finish(fast, 500, false)
  expect(fast.profile.isFast(SHARE_WITHIN)).toBe(true)
})

type Step =
  | { readonly type: 'add'; readonly millis: number; readonly bytes: number }
  | { readonly type: 'finish'; readonly pick: number; readonly failed: boolean }
  | { readonly type: 'wait'; readonly millis: number }
  | { readonly type: 'refuse' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('add' as const),
      millis: fc.constantFrom(0, 0.5, 3, 20),
      bytes: fc.nat(50_000),
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('finish' as const), pick: fc.nat(3), failed: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('wait' as const), millis: fc.double({ min: 0, max: 30, noNaN: true }) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('refuse' as const) }) },
)

test('given any use, then the sums are those of the statements in flight, and what is accepted keeps the bounds', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const { queue } = givenQueue()
      const inFlight: QueuedStatement[] = []
      let now = 0
      for (const each of steps) {
        if (each.type === 'wait') now += each.millis
        else if (each.type === 'refuse') queue.refuse('refused')
        else if (each.type === 'add') {
          const added = statement(each.millis, each.bytes)
          const reason = queue.reasonAgainst(added, now)
          if (reason === undefined) {
            expect(queue.expectedMillis(now)).toBeLessThan(SHARE_WITHIN)
            expect(queue.isOverdue(now)).toBe(false)
            expect(queue.bytes + each.bytes).toBeLessThanOrEqual(MAX_BYTES)
          }
          if (reason !== undefined && inFlight.length > 0) continue
          queue.add(added, now)
          inFlight.push(added)
        } else if (inFlight.length > 0) {
          // Nearly always the head; a statement that was never sent may end out of turn.
          const index = each.pick === 3 ? inFlight.length - 1 : 0
          const [finished] = inFlight.splice(index, 1) as [QueuedStatement]
          expect(queue.finish(finished, now, each.failed)).toBe(index === 0)
        }
        expect(queue.depth).toBe(inFlight.length)
        expect(queue.head).toBe(inFlight[0])
        expect(queue.bytes).toBe(inFlight.reduce((sum, { bytes }) => sum + bytes, 0))
        expect(queue.expectedMillis(now)).toBeGreaterThanOrEqual(0)
      }
    }),
  )
})
