import { describe, expect, test } from 'vitest'
import { InvalidOptionError } from '../invalid-option-error.ts'
import { describeSizing } from './describe-sizing.ts'
import { busyConnections, busyRatio, type DatabaseLoad } from './load.ts'
import type { Budget } from './plan.ts'
import { littlesLaw, sizeAgainstLocking, sizeByBusyRatio, sizeByCores } from './sizing.ts'

const load: DatabaseLoad = {
  elapsedMillis: 10_000,
  sessionMillis: 90_000,
  activeMillis: 12_000,
  idleInTransactionMillis: 36_000,
  transactions: 4_000,
}

describe('a load', () => {
  test('keeps connections busy that run a query or hold a transaction open', () => {
    expect(busyConnections(load)).toBe(4.8)
    expect(busyRatio(load)).toBe(0.25)
  })

  test('without activity keeps no connection busy', () => {
    const zero = { elapsedMillis: 0, sessionMillis: 0, activeMillis: 0, idleInTransactionMillis: 0, transactions: 0 }
    expect([busyConnections(zero), busyRatio(zero)]).toEqual([0, 1])
  })
})

describe('the formulas', () => {
  test.each([
    [400, 12, 7],
    [0, 12, 1],
    [70, 10, 1],
    [700, 10, 10],
    [701, 10, 11],
  ])("Little's law: %d per second for %d ms need %d", (checkoutsPerSecond, heldMillis, connections) => {
    expect(littlesLaw({ checkoutsPerSecond, heldMillis }).connections).toBe(connections)
  })

  test.each([
    [{ cores: 4, busyRatio: 0.25 }, 16],
    [{ cores: 4, busyRatio: 1 }, 4],
    [{ cores: 4, parallelIo: 10, busyRatio: 0.5, parallelism: 2 }, 10],
    [{ cores: 1, busyRatio: 1, parallelism: 3 }, 1],
  ])("Cybertec's: %j -> %d", (input, connections) => {
    expect(sizeByBusyRatio(input).connections).toBe(connections)
  })

  test.each([
    [{ cores: 4, disks: 1 }, 9],
    [{ cores: 8 }, 16],
  ])("HikariCP's: %j -> %d", (input, connections) => {
    expect(sizeByCores(input).connections).toBe(connections)
  })

  test.each([
    [3, 4, 10],
    [8, 2, 9],
    [100, 1, 1],
  ])('against pool locking: %d concurrent with %d each need %d', (concurrency, connectionsEach, connections) => {
    expect(sizeAgainstLocking({ concurrency, connectionsEach }).connections).toBe(connections)
  })

  const HIKARI = 'https://github.com/brettwooldridge/HikariCP/wiki/About-Pool-Sizing'

  test.each([
    [
      littlesLaw({ checkoutsPerSecond: 400, heldMillis: 12 }),
      {
        method: 'littles-law',
        bound: 'least',
        formula: '400 checkouts per second x 12 ms = 4.8 in use on average; / 70 % = 7',
        source: 'https://en.wikipedia.org/wiki/Little%27s_law',
      },
    ],
    [
      sizeByBusyRatio({ cores: 4, parallelIo: 10, busyRatio: 0.3333, parallelism: 2 }),
      {
        method: 'busy-ratio',
        bound: 'most',
        formula: '10 in parallel (cores or I/O) / (0.333 busy x 2 processes per query) = 15',
        source: expect.stringMatching(/^https:.*cybertec.*pool-size/),
      },
    ],
    [
      sizeByCores({ cores: 4, disks: 1 }),
      { method: 'cores', bound: 'most', formula: '4 cores x 2 + 1 disk = 9', source: HIKARI },
    ],
    [
      sizeByCores({ cores: 4, disks: 2 }),
      { method: 'cores', bound: 'most', formula: '4 cores x 2 + 2 disks = 10', source: HIKARI },
    ],
    [
      sizeAgainstLocking({ concurrency: 3, connectionsEach: 4 }),
      {
        method: 'pool-locking',
        bound: 'least',
        formula: '3 concurrent x (4 connections each - 1) + 1 = 10',
        source: `${HIKARI}#pool-locking`,
      },
    ],
  ])('show their input and their source: %j', (sizing, expected) => {
    expect(sizing).toMatchObject(expected)
  })

  test.each([
    [() => littlesLaw({ checkoutsPerSecond: -1, heldMillis: 1 }), 'checkoutsPerSecond: -1', 'at least 0'],
    [() => littlesLaw({ checkoutsPerSecond: 1, heldMillis: Infinity }), 'heldMillis: Infinity', 'at least 0'],
    [() => sizeByBusyRatio({ cores: 1.5, busyRatio: 1 }), 'cores: 1.5', 'at least 1'],
    [() => sizeByBusyRatio({ cores: 4, busyRatio: 0 }), 'busyRatio: 0', 'a share above 0, up to 1'],
    [() => sizeByBusyRatio({ cores: 4, busyRatio: 1.01 }), 'busyRatio: 1.01', 'a share above 0, up to 1'],
    [() => sizeByBusyRatio({ cores: 4, busyRatio: 1, parallelism: 0.5 }), 'parallelism: 0.5', 'at least 1'],
    [() => sizeByCores({ cores: 0 }), 'cores: 0', 'at least 1'],
    [() => sizeByCores({ cores: 1, disks: -1 }), 'disks: -1', 'at least 0'],
    [() => sizeAgainstLocking({ concurrency: 0, connectionsEach: 1 }), 'concurrency: 0', 'at least 1'],
    [() => sizeAgainstLocking({ concurrency: 1, connectionsEach: 0 }), 'connectionsEach: 0', 'at least 1'],
  ])('reject invalid input, and name the option and what it takes (%#)', (size, option, allowed) => {
    expect(size).toThrow(InvalidOptionError)
    expect(size).toThrow(option)
    expect(size).toThrow(allowed)
  })
})

describe('the report', () => {
  const budget = { maxPerPool: 10, pools: 6 } as Budget

  test('says when more than the server can use', () => {
    expect(describeSizing(budget, [sizeByCores({ cores: 4 })])).toEqual([
      "HikariCP's formula: 4 cores x 2 + 0 disks = 8 for all pools together. https://github.com/brettwooldridge/HikariCP/wiki/About-Pool-Sizing",
      "  The plan allows 60 (6 pools of 10): more than the server can use. With more than 8 busy connections, queries wait for the server's cores and disks instead of for the pool, and hold their locks while they wait.",
    ])
    expect(describeSizing(budget, [sizeByCores({ cores: 30 })])[1]).toContain('can keep busy')
  })

  test('says when the plan is too small, and for which load', () => {
    const busy = littlesLaw({ checkoutsPerSecond: 4_000, heldMillis: 12 })
    expect(describeSizing(budget, [busy])[1]).toContain('60 (6 pools of 10): too few for this load')
    const locking = sizeAgainstLocking({ concurrency: 10, connectionsEach: 2 })
    expect(describeSizing(budget, [locking])[1]).toContain('a pool of 10: too few. All requests can hold one')
    expect(describeSizing(budget, [littlesLaw({ checkoutsPerSecond: 1, heldMillis: 1 })])[1]).toContain('enough')
  })

  test('names each formula, says for which pools it is, and ends with its source', () => {
    const sizings = [
      littlesLaw({ checkoutsPerSecond: 1, heldMillis: 1 }),
      sizeByBusyRatio({ cores: 4, busyRatio: 1 }),
      sizeAgainstLocking({ concurrency: 9, connectionsEach: 2 }),
    ]
    const lines = describeSizing(budget, sizings).filter((_, index) => index % 2 === 0)
    expect(lines).toEqual(
      [
        ["Little's law", 'for all pools together'],
        ["Cybertec's formula", 'for all pools together'],
        ["HikariCP's minimum against pool locking", 'for each pool'],
      ].map(([name, pools], index) => `${name}: ${sizings[index]?.formula} ${pools}. ${sizings[index]?.source}`),
    )
  })

  test('finds a plan of exactly the needed or the allowed number right', () => {
    expect(describeSizing(budget, [sizeAgainstLocking({ concurrency: 9, connectionsEach: 2 })])[1]).toBe(
      '  The plan allows a pool of 10, which is enough.',
    )
    expect(describeSizing(budget, [sizeByCores({ cores: 30 })])[1]).toBe(
      '  The plan allows 60 (6 pools of 10), which the server can keep busy.',
    )
  })
})
