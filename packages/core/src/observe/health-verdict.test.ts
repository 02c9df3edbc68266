import { expect, test } from 'vitest'
import { type HealthStatus, type HealthVerdict, nextVerdict, worstOf } from './health-verdict.ts'

const STATUSES: Readonly<Record<string, HealthStatus>> = { c: 'critical', w: 'warning', h: 'healthy' }

test.each<[what: string, found: string, reported: string]>([
  ['worse', 'h w c', 'h w c'],
  ['better for less than five seconds', 'c h h h h h c', 'c c c c c c c'],
  ['better for five seconds', 'c h h h h h h', 'c c c c c c h'],
  ['better, then worse, then better: the recovery time starts again', 'c h h h c h h h h h h', 'c c c c c c c c c c h'],
  ['slightly better at the end', 'c h h h h w w', 'c c c c c c w'],
  ['slightly better at first', 'c w w w h h h h h h h h', 'c c c c c c w w w w w h'],
  ['the same', 'w w h w w', 'w w w w w'],
])('given a check per second, and a status that is %s', (_what, found, reported) => {
  let verdict: HealthVerdict | undefined
  const verdicts = found.split(' ').map((letter, second) => {
    const status = STATUSES[letter] as HealthStatus
    verdict = nextVerdict(verdict, status, { now: second * 1_000, recoveryMillis: 5_000 })
    return verdict.status[0]
  })
  expect(verdicts.join(' ')).toBe(reported)
})

test('given rare checks, then a single better one does not improve the verdict', () => {
  const at = (seconds: number) => ({ now: seconds * 1_000, recoveryMillis: 5_000 })
  const first = nextVerdict({ status: 'critical' }, 'healthy', at(60))
  expect(first.status).toBe('critical')
  expect(nextVerdict(first, 'healthy', at(120)).status).toBe('healthy')
})

test('given a recovery time of 0, then the verdict improves immediately', () => {
  expect(nextVerdict({ status: 'critical' }, 'warning', { now: 0, recoveryMillis: 0 })).toEqual({ status: 'warning' })
})

test('the worst of no status is healthy', () => {
  expect(worstOf([])).toBe('healthy')
  expect(worstOf(['healthy', 'critical', 'warning'])).toBe('critical')
})
