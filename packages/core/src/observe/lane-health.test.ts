import { describe, expect, test } from 'vitest'
import type { LaneStats, PoolStats } from '../pool/index.ts'
import { evaluateHealth } from './health.ts'
import { healthCounters } from './health-measures.ts'
import { durations, observedPool } from './testing/observed-pool.ts'

const calm: LaneStats = {
  ...{ max: 10, reserve: 0, priority: 1, active: 0, waiting: 0, overloaded: false, deadlocked: false },
  ...{ timeouts: 0, saturated: 0, shed: { 'waited-too-long': 0, 'deadline-too-near': 0 }, wait: durations() },
}

/** The statistics of a pool with 10 connections. */
function statsWith(lanes: Record<string, Partial<LaneStats>>): PoolStats {
  const all = Object.fromEntries(Object.entries(lanes).map(([name, lane]) => [name, { ...calm, ...lane }]))
  const waiting = Object.values(all).reduce((sum, lane) => sum + lane.waiting, 0)
  const connectFailures = { full: 0, unavailable: 0, permanent: 0 }
  return { ...observedPool('orders', { waiting, lanes: all, connectFailures }).snapshot().stats, leasedMillis: 0 }
}

describe('the health of a pool with lanes', () => {
  test.each([
    ['a lane that may use the whole pool', { web: { waiting: 25 }, jobs: { max: 5 } }, 'critical'],
    ['a lane with a lower max than the pool', { web: {}, jobs: { max: 5, waiting: 25 } }, 'warning'],
    ['a lane with a lower priority than another one', { web: { priority: 4 }, jobs: { waiting: 25 } }, 'warning'],
    ['one of several lanes that all have a lower max', { web: { max: 5, waiting: 25 }, jobs: { max: 5 } }, 'critical'],
  ])('if many callers of %s wait, is %s', (_lane, lanes, status) => {
    expect(evaluateHealth({ stats: statsWith(lanes) }).status).toBe(status)
  })

  test('names the lanes whose callers wait, and no others', () => {
    const { reasons } = evaluateHealth({
      stats: statsWith({ web: { wait: durations(1, 1) }, jobs: { max: 5, waiting: 7, wait: durations(600, 800) } }),
    })
    expect(reasons).toEqual(['lane "jobs": 7 callers wait, 700 ms on average'])
  })

  test('judges only the waits within the window', () => {
    const before = healthCounters(statsWith({ web: { wait: durations(900, 900) } }))
    const stats = statsWith({ web: { wait: durations(900, 900, 1, 1) } })
    expect(evaluateHealth({ stats, before })).toMatchObject({ status: 'healthy', reasons: [] })
    expect(evaluateHealth({ stats }).reasons).toContainEqual(expect.stringContaining('lane "web": 0 callers wait'))
  })
})
