import { expect, test } from 'vitest'
import { session, sessions } from '../doctor/testing/facts.ts'
import type { Session } from '../sessions/session.ts'
import { type Choice, selectCandidates, stillCandidates } from './candidates.ts'

const idle = (pid: number, seconds: number, changes: Partial<Session> = {}) =>
  session(pid, { stateSeconds: seconds, ...changes })
const paused = (pid: number, seconds: number) => idle(pid, seconds, { state: 'idle in transaction' })
const waiting = { state: 'active', lockWaitSeconds: 3 }

function pidsOf(list: readonly Session[], choice: Choice = {}): readonly string[] {
  return selectCandidates(list, choice).map(({ reason, session: { pid } }) => `${pid} ${reason}`)
}

test.each<[given: string, list: readonly Session[], choice: Choice, chosen: readonly string[]]>([
  ['idle sessions', [idle(1, 10), idle(2, 400), idle(3, 900)], {}, ['3 idle', '2 idle']],
  ['idle transactions', [paused(1, 10), paused(2, 61)], {}, ['2 idle in transaction']],
  [
    'another age',
    [idle(1, 10), paused(2, 11), paused(3, 1)],
    { olderThanSeconds: 10 },
    ['2 idle in transaction', '1 idle'],
  ],
  ['a blocker', [paused(1, 5), session(2, { ...waiting, blockedBy: [1] })], {}, ['1 blocks others']],
  ['a short wait', [paused(1, 5), session(2, { ...waiting, lockWaitSeconds: 0.1, blockedBy: [1] })], {}, []],
  ['a query', [session(1, { state: 'active', querySeconds: 90 })], {}, []],
  ['a query, with active', [session(1, { state: 'active', querySeconds: 90 })], { includesActive: true }, ['1 active']],
  ['a limit', [idle(1, 400), idle(2, 900)], { limit: 1 }, ['2 idle']],
  ['a role', [idle(1, 400), idle(2, 900, { role: 'batch' })], { role: 'app' }, ['1 idle']],
  [
    'an application, with the instances of its fleet',
    [idle(1, 400), idle(2, 900, { application: 'api#3f9a1b:t=8,d=12,n=1l' })],
    { application: 'api' },
    ['2 idle'],
  ],
  ['a superuser', [idle(1, 900, { isProtected: true })], {}, []],
  ["PostgreSQL's own processes", [idle(1, 900, { kind: 'other' }), idle(2, 900, { kind: 'autovacuum' })], {}, []],
  ['poolguard itself', [idle(1, 900, { isOwn: true }), idle(2, 900, { application: 'poolguard monitor' })], {}, []],
  ['a session that the role cannot see', [session(1, { state: null, stateSeconds: null })], {}, []],
])('given %s', (_, list, choice, chosen) => {
  expect(pidsOf(list, choice)).toEqual(chosen)
})

test.each<[given: string, now: Session, isLeft: boolean]>([
  ['the same session', idle(1, 900), true],
  ['a session that has worked since', idle(1, 400, { changedAt: '1795913777.5' }), false],
  ['another session with the same pid', idle(1, 900, { startedAt: '1795913777.5' }), false],
])('after the answer, given %s', (_, now, isLeft) => {
  const chosen = selectCandidates([idle(1, 800)], {})

  expect(stillCandidates(chosen, selectCandidates([now], {}))).toHaveLength(isLeft ? 1 : 0)
  expect(stillCandidates(chosen, selectCandidates(sessions(3), {}))).toEqual([])
})
