import { describe, expect, test } from 'vitest'
import type { Durations, PoolStats } from '../pool/index.ts'
import { evaluateHealth } from './health.ts'
import type { HealthStatus } from './health-verdict.ts'

/** A number of durations, and their sum. */
function durations(count: number, sumMillis: number): Durations {
  return { count, sumMillis, buckets: [] }
}

const calm: PoolStats = {
  max: 10,
  limit: 10,
  min: 0,
  total: 5,
  idle: 3,
  active: 2,
  connecting: 0,
  validating: 0,
  closing: 0,
  waiting: 0,
  acquired: 1_000,
  opened: 100,
  closed: 95,
  timeouts: 0,
  saturated: 0,
  overloaded: false,
  shed: { 'waited-too-long': 0, 'deadline-too-near': 0 },
  leaks: 0,
  suspectedLeaks: 0,
  deadlocks: 0,
  takenAtMillis: 0,
  leasedMillis: 5_000,
  capacityMillis: 100_000,
  longestLeaseMillis: 0,
  connectFailures: { full: 0, unavailable: 0, permanent: 0 },
  wait: durations(1_000, 500),
  waitByLabel: {},
  usage: durations(1_000, 5_000),
  connect: durations(100, 300),
}

describe('health', () => {
  test.for<[string, Partial<PoolStats>, string, RegExp | null]>([
    ['calm', {}, 'healthy', null],
    ['69 % active', { leasedMillis: 69_000 }, 'healthy', null],
    ['70 % active', { leasedMillis: 70_000 }, 'warning', /^70 % of max are in use \(warning from 70 %\)$/],
    [
      'all active, without waiters',
      { leasedMillis: 100_000, waiting: 4 },
      'warning',
      /^100 % .* \(warning from 70 %\)$/,
    ],
    ['5 waiters', { waiting: 5 }, 'warning', /^5 callers wait/],
    ['20 waiters', { waiting: 20 }, 'critical', /^20 callers wait/],
    [
      'waits of 100 ms',
      { wait: durations(1_000, 100_000) },
      'warning',
      /^callers wait 100 ms on average \(warning from 100 ms\)$/,
    ],
    ['waits of 500 ms', { wait: durations(1_000, 500_000) }, 'critical', /^callers wait 500 ms on average/],
    [
      '1.5 % fail',
      { opened: 197, connectFailures: { full: 1, unavailable: 2, permanent: 0 } },
      'warning',
      /^1.5 % of the attempts to connect fail \(warning from 1 %\)$/,
    ],
    [
      '5 % fail',
      { opened: 95, connectFailures: { full: 0, unavailable: 0, permanent: 5 } },
      'critical',
      /^5 % of the attempts/,
    ],
    ['nothing happened yet', { acquired: 0, wait: durations(0, 0), opened: 0 }, 'healthy', null],
  ])('given %s, then the status and the reason are right', ([, change, status, reason]) => {
    const health = evaluateHealth({ stats: { ...calm, ...change } })
    expect(health.status).toBe(status)
    expect(health.reasons).toEqual(reason ? [expect.stringMatching(reason)] : [])
  })

  test('given the counters at the start of a window, then only later events count', () => {
    const bad = {
      ...calm,
      wait: durations(1_000, 900_000),
      connectFailures: { full: 50, unavailable: 0, permanent: 0 },
    }
    const since = { ...bad, acquired: bad.acquired + 100, wait: durations(1_100, 900_100), opened: bad.opened + 10 }
    expect(evaluateHealth({ stats: bad }).status).toBe('critical')
    expect(evaluateHealth({ stats: since, before: bad })).toMatchObject({ status: 'healthy', reasons: [] })
  })

  test('given several problems, then the worst determines the status and all are reported', () => {
    const health = evaluateHealth({ stats: { ...calm, leasedMillis: 75_000, waiting: 20 } })
    expect(health.status).toBe('critical')
    expect(health.reasons).toHaveLength(2)
  })

  const before = { ...calm, takenAtMillis: 0, leasedMillis: 0, capacityMillis: 0 }
  const inUse = (leasedMillis: number, change: Partial<PoolStats> = {}) =>
    evaluateHealth({ stats: { ...calm, takenAtMillis: 10_000, leasedMillis, ...change }, before, windowMillis: 10_000 })

  test('given a window, then the share in use is the average over the window', () => {
    expect(inUse(69_000, { active: 10 }).reasons).toEqual([])
    expect(inUse(80_000, { active: 0 }).reasons).toEqual(['80 % of max are in use (warning from 70 %)'])
  })

  test('given a max that was larger during the window, then the share in use refers to that max', () => {
    expect(inUse(60_000, { max: 5, active: 0 }).status).toBe('healthy')
  })

  test('given that all connections are in use, then the status is critical only if callers wait', () => {
    expect(inUse(100_000)).toMatchObject({
      status: 'warning',
      reasons: ['100 % of max are in use (warning from 70 %)'],
    })
    const inUseAndWaiters = '100 % of max are in use (critical from 90 %)'
    expect(inUse(100_000, { waiting: 5 })).toMatchObject({
      status: 'critical',
      reasons: [inUseAndWaiters, '5 callers wait (warning from 5)'],
    })
    expect(inUse(100_000, { wait: durations(1_010, 1_500) })).toMatchObject({
      status: 'critical',
      reasons: [inUseAndWaiters, 'callers wait 100 ms on average (warning from 100 ms)'],
    })
  })

  test('given less than half a window, then the share in use does not count', () => {
    const stats = { ...calm, takenAtMillis: 10_000, leasedMillis: 100_000 }
    expect(evaluateHealth({ stats, before, windowMillis: 20_001 }).status).toBe('healthy')
    expect(evaluateHealth({ stats, before, windowMillis: 20_000 }).status).toBe('warning')
  })

  test.for<[waiting: number, previous: HealthStatus, status: HealthStatus]>([
    [19, 'healthy', 'warning'],
    [16, 'critical', 'critical'],
    [15, 'critical', 'warning'],
    [4, 'critical', 'warning'],
    [3, 'critical', 'healthy'],
    [4, 'warning', 'warning'],
    [3, 'warning', 'healthy'],
    [4, 'healthy', 'healthy'],
  ])(
    'given %i waiters and %s before, then the status is %s: a small improvement does not count',
    ([waiting, previous, status]) => {
      const measures = {
        activeShare: { status: 'healthy' },
        waiters: { status: previous },
        meanWaitMillis: { status: 'healthy' },
        connectErrorShare: { status: 'healthy' },
      } as const
      expect(evaluateHealth({ stats: { ...calm, waiting }, previous: measures }).status).toBe(status)
    },
  )

  test('given one measure that was critical, then the recovery of another is independent', () => {
    const { measures } = evaluateHealth({ stats: { ...calm, waiting: 25, leasedMillis: 70_000 } })
    expect(evaluateHealth({ stats: { ...calm, leasedMillis: 70_000 }, previous: measures }).reasons).toEqual([
      '70 % of max are in use (warning from 70 %)',
    ])
  })

  test.for<[failed: number, opened: number, status: HealthStatus]>([
    [1, 0, 'healthy'],
    [1, 9, 'healthy'],
    [2, 3, 'healthy'],
    [3, 1, 'healthy'],
    [3, 2, 'critical'],
  ])(
    'given %i failed attempts and %i successful ones, then the status is %s: too few attempts do not count',
    ([failed, opened, status]) => {
      const connectFailures = { full: 0, unavailable: failed, permanent: 0 }
      expect(evaluateHealth({ stats: { ...calm, opened, connectFailures } }).status).toBe(status)
    },
  )
})
