import { expect, test } from 'vitest'
import { type HealthStatus, type HealthVerdict, holdVerdict, worstOf } from './health-verdict.ts'

const WORDS: Readonly<Record<string, HealthStatus>> = { c: 'critical', w: 'warning', h: 'healthy' }

test.each<[what: string, found: string, told: string]>([
  ['worse', 'h w c', 'h w c'],
  ['better for less than five seconds', 'c h h h h h c', 'c c c c c c c'],
  ['better for five seconds', 'c h h h h h h', 'c c c c c c h'],
  ['better, then worse, then better: the time begins anew', 'c h h h c h h h h h h', 'c c c c c c c c c c h'],
  ['a little better at last', 'c h h h h w w', 'c c c c c c w'],
  ['a little better at first', 'c w w w h h h h h h h h', 'c c c c c c w w w w w h'],
  ['the same', 'w w h w w', 'w w w w w'],
])('given a look a second, and what is %s', (_what, found, told) => {
  let verdict: HealthVerdict | undefined
  const said = found.split(' ').map((letter, second) => {
    const status = WORDS[letter] as HealthStatus
    verdict = holdVerdict(verdict, status, { now: second * 1_000, recoveryMillis: 5_000 })
    return verdict.status[0]
  })
  expect(said.join(' ')).toBe(told)
})

test('given a look now and then, then one that finds it better is not enough', () => {
  const at = (seconds: number) => ({ now: seconds * 1_000, recoveryMillis: 5_000 })
  const first = holdVerdict({ status: 'critical' }, 'healthy', at(60))
  expect(first.status).toBe('critical')
  expect(holdVerdict(first, 'healthy', at(120)).status).toBe('healthy')
})

test('given no time to recover, then what is found is told', () => {
  expect(holdVerdict({ status: 'critical' }, 'warning', { now: 0, recoveryMillis: 0 })).toEqual({ status: 'warning' })
})

test('the worst of none is healthy', () => {
  expect(worstOf([])).toBe('healthy')
  expect(worstOf(['healthy', 'critical', 'warning'])).toBe('critical')
})
