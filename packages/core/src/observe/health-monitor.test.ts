import { describe, expect, test } from 'vitest'
import type { PoolStats } from '../pool/index.ts'
import { HealthMonitor } from './health-monitor.ts'
import type { ObservedPool, PoolSnapshot } from './snapshot.ts'

const none = { count: 0, sumMillis: 0, buckets: [] }
const quiet = {
  max: 10,
  active: 0,
  waiting: 0,
  opened: 0,
  takenAtMillis: 0,
  leasedMillis: 0,
  capacityMillis: 0,
  wait: none,
  connectFailures: { full: 0, unavailable: 0, permanent: 0 },
} as unknown as PoolStats

class FakePool implements ObservedPool {
  stats = quiet
  wal: PoolSnapshot['wal']
  summary: PoolSnapshot['insight']
  readonly #name: string

  constructor(name: string) {
    this.#name = name
  }

  at(seconds: number, change: Partial<PoolStats>): void {
    this.stats = { ...this.stats, takenAtMillis: seconds * 1_000, ...change }
  }

  snapshot(): PoolSnapshot {
    return { name: this.#name, stats: this.stats, wal: this.wal, insight: this.summary } as PoolSnapshot
  }
}

describe('a monitor', () => {
  test('of several pools reports the worst status, and the status of each pool', () => {
    const [good, bad] = [new FakePool('good'), new FakePool('bad')]
    bad.at(0, { waiting: 30 })
    const health = new HealthMonitor({ pools: () => [good, bad] }).check()

    expect(health).toEqual({
      status: 'critical',
      pools: [
        { name: 'good', status: 'healthy', reasons: [] },
        { name: 'bad', status: 'critical', reasons: ['30 callers wait (critical from 20)'] },
      ],
    })
  })

  test('reports a WAL that cannot be reset as a warning, never as critical', () => {
    const pool = new FakePool('app.writer')
    const monitor = new HealthMonitor({ pools: () => [pool] })
    const wal = { bytes: 80_000_000, maxBytes: 64_000_000, problem: 'The WAL of app.db cannot be reset.' }
    pool.wal = wal
    expect(monitor.check()).toMatchObject({ status: 'warning', pools: [{ reasons: [wal.problem] }] })

    pool.at(0, { waiting: 30 })
    expect(monitor.check()).toMatchObject({
      status: 'critical',
      pools: [{ reasons: [expect.stringContaining('callers wait'), wal.problem] }],
    })

    pool.wal = { ...wal, problem: null }
    pool.at(10, { waiting: 0 })
    expect(monitor.check().pools[0]?.reasons).not.toContain(wal.problem)
  })

  test('names the code that uses most of the time of a pool that is not healthy', () => {
    const pool = new FakePool('orders')
    const monitor = new HealthMonitor({ pools: () => [pool] })
    const findings = [0.6, 0.2, 0.05].map((usedShare, i) => ({ text: `finding ${i}`, usedShare }))
    pool.summary = { findings } as unknown as PoolSnapshot['insight']
    expect(monitor.check().pools[0]?.reasons).toEqual([])
    pool.at(1, { waiting: 30 })
    expect(monitor.check().pools[0]?.reasons).toEqual(['30 callers wait (critical from 20)', 'finding 0', 'finding 1'])
  })

  test('without pools is healthy', () => {
    expect(new HealthMonitor({ pools: () => [] }).check()).toEqual({ status: 'healthy', pools: [] })
  })

  test('ignores events older than the window, however often it checks', () => {
    const pool = new FakePool('pool')
    const monitor = new HealthMonitor({ pools: () => [pool], windowMillis: 30_000 })
    const failing = { full: 5, unavailable: 0, permanent: 0 }
    pool.at(0, {})
    monitor.check()
    pool.at(1, { connectFailures: failing })
    expect(monitor.check().status).toBe('critical')
    for (let tenth = 20; tenth <= 300; tenth++) {
      pool.at(tenth / 10, {})
      expect(monitor.check().status).toBe('critical')
    }
    pool.at(32, {})
    expect(monitor.check()).toMatchObject({
      status: 'critical',
      pools: [{ reasons: ['0 % of the attempts to connect fail, recovering from critical'] }],
    })
    pool.at(37, {})
    expect(monitor.check()).toMatchObject({ status: 'healthy', pools: [{ reasons: [] }] })
  })

  test('ignores events before its first check, and a share in use over a moment', () => {
    const pool = new FakePool('pool')
    const monitor = new HealthMonitor({ pools: () => [pool] })
    const busy = { active: 10, waiting: 5 }
    pool.at(86_400, {
      ...busy,
      connectFailures: { full: 500, unavailable: 0, permanent: 0 },
      leasedMillis: 9e8,
      capacityMillis: 9e8,
    })
    expect(monitor.check().status).toBe('warning')
    pool.at(86_400.001, { ...busy, leasedMillis: 9e8 + 10, capacityMillis: 9e8 + 10 })
    expect(monitor.check().status).toBe('warning')
    pool.at(86_415, { ...busy, leasedMillis: 9e8 + 150_000, capacityMillis: 9e8 + 150_000 })
    expect(monitor.check().status).toBe('critical')
  })

  test.each([
    [119, 'critical'],
    [121, 'healthy'],
  ])('that checks again after %i s reports a pool with failures in between as %s', (seconds, status) => {
    const pool = new FakePool('pool')
    const monitor = new HealthMonitor({ pools: () => [pool] })
    pool.at(0, {})
    monitor.check()
    pool.at(seconds, { connectFailures: { full: 40, unavailable: 0, permanent: 0 } })
    expect(monitor.check().status).toBe(status)
  })

  test('does not flap around a threshold', () => {
    const pool = new FakePool('pool')
    const monitor = new HealthMonitor({ pools: () => [pool], recoveryMillis: 0 })
    const seen = [20, 18, 20, 17, 15, 18, 4, 3, 4].map((waiting, i) => {
      pool.at(i, { waiting })
      return monitor.check().status
    })
    expect(seen.join(' ')).toBe('critical critical critical critical warning warning warning healthy healthy')
  })

  test.each([
    ['by default', {}, 5],
    ['with an option', { recoveryMillis: 2_000 }, 2],
  ])('%s reports a better status only after the recovery time %o', (_when, options, seconds) => {
    const pool = new FakePool('pool')
    const monitor = new HealthMonitor({ pools: () => [pool], ...options })
    const at = (second: number, waiting: number) => {
      pool.at(second, { waiting })
      return monitor.check().status
    }
    expect(at(0, 30)).toBe('critical')
    expect(at(1, 0)).toBe('critical')
    expect(at(seconds + 0.9, 0)).toBe('critical')
    expect(at(seconds + 1, 0)).toBe('healthy')
    expect(at(seconds + 1.1, 30)).toBe('critical')
  })

  test('accepts thresholds', () => {
    const pool = new FakePool('pool')
    pool.at(0, { waiting: 30 })
    const monitor = new HealthMonitor({ pools: () => [pool], thresholds: { waiters: { warning: 20, critical: 200 } } })
    expect(monitor.check().status).toBe('warning')
  })

  test.each([
    [{ thresholds: { waiting: { warning: 1, critical: 2 } } as never }, 'thresholds.waiting'],
    [{ thresholds: { waiters: { warning: 9, critical: 2 } } }, 'critical not below warning'],
    [{ thresholds: { activeShare: { warning: 70, critical: 90 } } }, 'It takes shares between 0 and 1'],
    [{ thresholds: null as never }, 'Invalid option thresholds: null'],
    [{ thresholds: { waiters: 5 as never } }, 'Invalid option thresholds.waiters: 5'],
    [{ windowMillis: -1 }, 'Invalid option windowMillis: -1'],
    [{ recoveryMillis: -1 }, 'Invalid option recoveryMillis: -1'],
  ])('rejects %o', (options, message) => {
    expect(() => new HealthMonitor(options)).toThrow(message)
  })
})
