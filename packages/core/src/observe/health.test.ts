import { describe, expect, test } from 'vitest'
import type { Durations, PoolStats } from '../pool/index.ts'
import { evaluateHealth } from './health.ts'
import type { HealthStatus } from './verdict.ts'

/** So many, of so long in all. */
function durations(count: number, sumMillis: number): Durations {
  return { count, sumMillis, buckets: [] }
}

const calm: PoolStats = {
  max: 10,
  min: 0,
  total: 5,
  idle: 3,
  active: 2,
  connecting: 0,
  closing: 0,
  waiting: 0,
  acquired: 1_000,
  opened: 100,
  closed: 95,
  timeouts: 0,
  saturated: 0,
  leaks: 0,
  deadlocks: 0,
  takenAtMillis: 0,
  leasedMillis: 5_000,
  longestLeaseMillis: 0,
  connectFailures: { full: 0, unavailable: 0, refused: 0 },
  wait: durations(1_000, 500),
  waitByLabel: {},
  use: durations(1_000, 5_000),
  create: durations(100, 300),
}

describe('health', () => {
  test.for<[string, Partial<PoolStats>, string, RegExp | null]>([
    ['calm', {}, 'healthy', null],
    ['69 % active', { max: 100, active: 69 }, 'healthy', null],
    ['70 % active', { active: 7 }, 'warning', /^70 % of max are in use \(warning from 0.7\)$/],
    ['90 % active', { active: 9 }, 'critical', /^90 % of max are in use/],
    ['5 waiters', { waiting: 5 }, 'warning', /^5 callers wait/],
    ['20 waiters', { waiting: 20 }, 'critical', /^20 callers wait/],
    ['waits of 100 ms', { wait: durations(1_000, 100_000) }, 'warning', /^callers wait 100 ms on average/],
    ['waits of 500 ms', { wait: durations(1_000, 500_000) }, 'critical', /^callers wait 500 ms on average/],
    [
      '2 % fail',
      { opened: 98, connectFailures: { full: 1, unavailable: 1, refused: 0 } },
      'warning',
      /^2 % of the attempts/,
    ],
    [
      '5 % fail',
      { opened: 95, connectFailures: { full: 0, unavailable: 0, refused: 5 } },
      'critical',
      /^5 % of the attempts/,
    ],
    ['nothing happened yet', { acquired: 0, wait: durations(0, 0), opened: 0 }, 'healthy', null],
  ])('given %s, then it says so', ([, change, status, reason]) => {
    const health = evaluateHealth({ stats: { ...calm, ...change } })
    expect(health.status).toBe(status)
    expect(health.reasons).toEqual(reason ? [expect.stringMatching(reason)] : [])
  })

  test('given the figures at the beginning of a window, then only what came since counts', () => {
    const bad = { ...calm, wait: durations(1_000, 900_000), connectFailures: { full: 50, unavailable: 0, refused: 0 } }
    const since = { ...bad, acquired: bad.acquired + 100, wait: durations(1_100, 900_100), opened: bad.opened + 10 }
    expect(evaluateHealth({ stats: bad }).status).toBe('critical')
    expect(evaluateHealth({ stats: since, before: bad })).toMatchObject({ status: 'healthy', reasons: [] })
  })

  test('given several things, then the worst decides and all are named', () => {
    const health = evaluateHealth({ stats: { ...calm, active: 9, waiting: 5 } })
    expect(health.status).toBe('critical')
    expect(health.reasons).toHaveLength(2)
  })

  test('given a window, then a pool counts as in use for as much of the time as it was', () => {
    const busyNow = { ...calm, max: 2, active: 2, takenAtMillis: 10_000 }
    const before = { ...calm, max: 2, takenAtMillis: 0, leasedMillis: 0 }
    const after = (leasedMillis: number) => evaluateHealth({ stats: { ...busyNow, leasedMillis }, before }).reasons
    expect(after(10_000)).toEqual([])
    expect(after(16_000)).toEqual(['80 % of max are in use (warning from 0.7)'])
    expect(after(20_000)).toEqual(['100 % of max are in use (critical from 0.9)'])
    expect(evaluateHealth({ stats: busyNow, before: busyNow }).status).toBe('critical')
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
  ])('given %i waiters and %s before, then it is %s: a little improvement is none', ([waiting, previous, status]) => {
    const measures = {
      activeShare: { status: 'healthy' },
      waiters: { status: previous },
      meanWaitMillis: { status: 'healthy' },
      connectErrorShare: { status: 'healthy' },
    } as const
    expect(evaluateHealth({ stats: { ...calm, waiting }, previous: measures }).status).toBe(status)
  })

  test('given one measure that was critical, then another is not held to its recovery', () => {
    const { measures } = evaluateHealth({ stats: { ...calm, waiting: 25, active: 7 } })
    expect(evaluateHealth({ stats: { ...calm, active: 7 }, previous: measures }).reasons).toEqual([
      '70 % of max are in use (warning from 0.7)',
    ])
  })

  test('given one failed attempt of one, then that is no share to judge by', () => {
    const connectFailures = { full: 0, unavailable: 1, refused: 0 }
    expect(evaluateHealth({ stats: { ...calm, opened: 0, connectFailures } }).status).toBe('healthy')
  })
})
