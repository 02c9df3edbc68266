import { DurationHistogram, type Durations, type PoolStats } from '../../pool/index.ts'
import type { ObservedPool, PoolSnapshot } from '../snapshot.ts'

export function durations(...millis: number[]): Durations {
  const histogram = new DurationHistogram()
  for (const each of millis) histogram.record(each)
  return histogram.read()
}

const STATS: PoolStats = {
  ...{ max: 10, limit: 10, min: 1, total: 5, idle: 3, active: 2, connecting: 0, validating: 0, closing: 0 },
  ...{
    waiting: 4,
    acquired: 2,
    opened: 6,
    closed: 1,
    timeouts: 7,
    saturated: 0,
    overloaded: false,
    shed: { 'waited-too-long': 0, 'deadline-too-near': 0 },
    leaks: 0,
    suspectedLeaks: 0,
    deadlocks: 0,
    takenAtMillis: 0,
  },
  ...{ leasedMillis: 1_500, capacityMillis: 9_000, longestLeaseMillis: 250 },
  ...{ connectFailures: { full: 3, unavailable: 0, permanent: 0 } },
  ...{ wait: durations(0, 3), waitByLabel: { 'GET /orders/:id': durations(3) } },
  ...{ usage: durations(5), connect: durations(40) },
  lanes: {
    web: {
      ...{ max: 10, reserve: 2, priority: 1, active: 2, waiting: 4, overloaded: false, deadlocked: false },
      ...{ timeouts: 7, saturated: 0, shed: { 'waited-too-long': 0, 'deadline-too-near': 0 }, wait: durations(0, 3) },
    },
  },
}

/** A pool with fixed statistics, some of them replaced by `stats`. */
export function observedPool(name: string, stats: Partial<PoolStats> = {}): ObservedPool {
  const fleet = {
    instance: `${name}#000001`,
    maxConnections: 4,
    demand: 9,
    instances: 3,
    sharedConnections: 14,
    adaptiveLimit: 6,
  }
  const wal = { bytes: 4_000_000, maxBytes: 64_000_000, problem: null }
  const pipelining = {
    mode: 'reads',
    active: true,
    reason: 'given',
    sentBehind: 7,
    inFlight: 2,
    maxDepth: 5,
    stalls: 1,
  } as const
  const times = { statementMillis: 3_000, idleInTransactionMillis: 1_000, idleMillis: 500, ownCpuMillis: 250 }
  const snapshot = {
    name,
    insight: { times, timesByLabel: { 'GET /orders': times }, findings: [] },
    stats: { ...STATS, ...stats },
    dirtyReleases: 1,
    sessionStateFindings: 0,
    fleet,
    pipelining,
    routing: {
      readsOnPrimary: 1,
      replicas: [
        { name: `${name}-replica-1`, target: 'replica', state: 'usable', lagMillis: 20, reads: 5, problem: null },
      ],
    },
    adaptiveLimit: {
      ...{ base: 8, comparing: true },
      last: { base: 8, candidate: 16, throughputRatio: 0.9, confidence: 0.97 },
    },
    wal,
  } as unknown as PoolSnapshot
  return { snapshot: () => snapshot }
}

/** Drops the counts of closed pools, so that tests do not depend on each other. */
export function forgetClosedPools(): void {
  const cells = globalThis as unknown as Record<symbol, { value: unknown } | undefined>
  const cell = cells[Symbol.for('poolguard.closed.2')]
  if (cell) cell.value = undefined
}
