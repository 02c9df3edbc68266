import { describe, expect, test } from 'vitest'
import type { TargetSessionAttrs } from './host-plan.ts'
import { describeRole, isSuitable, readRole, reportedRole } from './session-role.ts'

const PRIMARY = { isStandby: false, isReadOnly: false }
const READ_ONLY_PRIMARY = { isStandby: false, isReadOnly: true }
const STANDBY = { isStandby: true, isReadOnly: true }

describe('the role of a session', () => {
  test.each<[TargetSessionAttrs, boolean, boolean, boolean]>([
    ['any', true, true, true],
    ['read-write', true, false, false],
    ['read-only', false, true, true],
    ['primary', true, true, false],
    ['standby', false, false, true],
    ['prefer-standby', false, false, true],
  ])('%s accepts a primary: %s, a read-only primary: %s, a standby: %s', (target, primary, readOnly, standby) => {
    expect(isSuitable(PRIMARY, target)).toBe(primary)
    expect(isSuitable(READ_ONLY_PRIMARY, target)).toBe(readOnly)
    expect(isSuitable(STANDBY, target)).toBe(standby)
  })

  test.each([
    ['f off', PRIMARY],
    ['f on', READ_ONLY_PRIMARY],
    ['t on', STANDBY],
    ['', undefined],
    [null, undefined],
    [undefined, undefined],
    ['t', undefined],
    ['true on', undefined],
  ])('the answer %j', (answer, role) => {
    expect(readRole(answer)).toEqual(role)
  })

  test.each([
    [{ in_hot_standby: 'off', default_transaction_read_only: 'off' }, PRIMARY],
    [{ in_hot_standby: 'off', default_transaction_read_only: 'on' }, READ_ONLY_PRIMARY],
    [{ in_hot_standby: 'on', default_transaction_read_only: 'off' }, STANDBY],
    [{ default_transaction_read_only: 'off' }, undefined],
    [{}, undefined],
  ])('the reported parameters %j', (parameters: Record<string, string | undefined>, role) => {
    expect(reportedRole((name) => parameters[name])).toEqual(role)
  })

  test('in words', () => {
    expect([PRIMARY, READ_ONLY_PRIMARY, STANDBY].map(describeRole)).toEqual([
      'is a primary',
      'is a primary whose sessions are read-only',
      'is a standby',
    ])
  })
})
