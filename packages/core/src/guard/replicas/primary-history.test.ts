import { describe, expect, test } from 'vitest'
import { PrimaryHistory } from './primary-history.ts'
import { readServerPosition, type ServerPosition } from './server-position.ts'
import { covers, parseLsn } from './wal-position.ts'

function at(lsn: bigint, given: Partial<ServerPosition> = {}): ServerPosition {
  return { isStandby: false, position: { systemId: '7', timeline: 1, lsn }, replayedAgoMillis: undefined, ...given }
}

function historyOf(...entries: readonly (readonly [at: number, lsn: bigint])[]): PrimaryHistory {
  const history = new PrimaryHistory()
  for (const [time, lsn] of entries) history.add(at(lsn), time)
  return history
}

describe('the lag of a standby', () => {
  test('is the age of the first position that it has not replayed', () => {
    const history = historyOf([0, 10n], [1_000, 20n], [2_000, 30n])
    expect(history.lagMillis(at(30n), 9_000)).toBe(0)
    expect(history.lagMillis(at(25n), 9_000)).toBe(7_000)
    expect(history.lagMillis(at(10n), 9_000)).toBe(8_000)
  })

  test('does not grow while the primary is idle', () => {
    const history = historyOf([0, 10n], [1_000, 10n], [60_000, 10n])
    expect(history.lagMillis(at(10n), 60_000)).toBe(0)
    expect(history.lagMillis(at(9n), 60_000)).toBe(60_000)
  })

  test('is measured by the clocks of the servers if it is older than the history', () => {
    const history = historyOf([0, 10n], [1_000, 20n])
    expect(history.lagMillis(at(5n, { replayedAgoMillis: 3_600_000 }), 1_000)).toBe(3_600_000)
    expect(history.lagMillis(at(15n, { replayedAgoMillis: 3_600_000 }), 1_500)).toBe(500)
  })

  test('is not known without a position', () => {
    expect(historyOf([0, 10n]).lagMillis(at(1n, { position: undefined }), 5)).toBeUndefined()
    expect(new PrimaryHistory().lagMillis(at(1n), 5)).toBeUndefined()
  })

  test('starts again on a new timeline, and for another cluster', () => {
    const history = historyOf([0, 1_000n])
    history.add(at(500n, { position: { systemId: '7', timeline: 2, lsn: 500n } }), 1_000)
    expect(history.lagMillis(at(500n), 2_000)).toBe(0)
    const other = at(5n, { position: { systemId: '8', timeline: 1, lsn: 5n } })
    expect(history.lagMillis(other, 2_000)).toBeUndefined()
    history.add(other, 3_000)
    expect(history.lagMillis(other, 4_000)).toBe(0)
  })

  test('keeps the last positions exactly, and earlier ones roughly, when the history is long', () => {
    const history = historyOf(...Array.from({ length: 5_000 }, (_, i) => [i, BigInt(i)] as const))
    expect(history.lagMillis(at(4_998n), 5_000)).toBe(1)
    expect(history.lagMillis(at(4_900n), 5_000)).toBe(99)
    expect(history.lagMillis(at(4_000n), 5_000)).toBeGreaterThan(900)
    expect(history.lagMillis(at(0n, { replayedAgoMillis: undefined }), 5_000)).toBeGreaterThan(1_000)
  })
})

test.each([
  ['0/0', 0n],
  ['0/16B3748', 0x16b3748n],
  ['FF/FFFFFFFF', 0xffffffffffn],
  ['16B3748', undefined],
  ['0/123456789', undefined],
  ['-', undefined],
])('reads the LSN %s', (text, lsn) => {
  expect(parseLsn(text)).toBe(lsn)
})

test('positions of different timelines or clusters cannot be compared', () => {
  const written = { systemId: '7', timeline: 1, lsn: 5n }
  expect(covers(written, written)).toBe(true)
  expect(covers({ ...written, lsn: 4n }, written)).toBe(false)
  expect(covers({ ...written, lsn: 9n, timeline: 2 }, written)).toBe(false)
  expect(covers({ ...written, lsn: 9n, systemId: '8' }, written)).toBe(false)
  expect(covers(undefined, written)).toBe(false)
})

test.each([
  [
    't 0/20 3 7713 1500',
    { isStandby: true, position: { systemId: '7713', timeline: 3, lsn: 32n }, replayedAgoMillis: 1_500 },
  ],
  [
    'f 0/20 x0000000A 7713 -',
    { isStandby: false, position: { systemId: '7713', timeline: 10, lsn: 32n }, replayedAgoMillis: undefined },
  ],
  ['t - 1 7713 -20', { isStandby: true, position: undefined, replayedAgoMillis: 0 }],
  ['t 0/20 0 7713 -', { isStandby: true, position: undefined }],
  ['t - - - -', { isStandby: true, position: undefined, replayedAgoMillis: undefined }],
])('reads the position %s', (answer, expected) => {
  expect(readServerPosition(answer)).toMatchObject(expected)
})

test.each([undefined, null, '', 'x 0/20 1 7 -'])('rejects the answer %j', (answer) => {
  expect(readServerPosition(answer)).toBeUndefined()
})
