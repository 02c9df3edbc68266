import { describe, expect, test } from 'vitest'
import { InvalidOptionError } from '../invalid-option-error.ts'
import type { Topology } from '../topology/index.ts'
import { PoolTransactionCheck, PoolTransactionError } from './pool-transaction-check.ts'
import { type PrepareOptions, validatePrepareOptions } from './prepare-options.ts'
import { SessionStateError } from './session-error.ts'
import { SessionStateCheck } from './session-state-check.ts'
import type { SessionStateMode } from './session-state-mode.ts'

const given = { server: { version: null }, evidence: [] }
const DIRECT: Topology = { kind: 'direct', preparedStatements: 'safe', ...given }
const POOLER: Topology = {
  kind: 'pooler',
  pooler: { name: 'PgBouncer', mode: 'transaction', proven: true },
  preparedStatements: 'unsafe',
  ...given,
}
const SET = "SET search_path TO 'a'"
const LISTEN = 'LISTEN orders'
const ADVICE = 'Use pool.transaction().'

describe('a transaction that begins through the pool itself', () => {
  function givenCheck(mode: SessionStateMode) {
    const warnings: string[] = []
    return { check: new PoolTransactionCheck(mode, (message) => warnings.push(message)), warnings }
  }

  test('is rejected in mode throw, with the advice', () => {
    const { check, warnings } = givenCheck('throw')
    const error = check.check('BEGIN', ADVICE)

    expect(error).toBeInstanceOf(PoolTransactionError)
    expect(error).toMatchObject({ name: 'PoolTransactionError', code: 'POOLGUARD_POOL_TRANSACTION' })
    expect(error?.message).toMatch(
      /^BEGIN was sent through the pool itself, .*a later ROLLBACK has no effect\. Use pool/,
    )
    expect(check.check('SELECT 1', ADVICE)).toBeUndefined()
    expect(warnings).toEqual([])
  })

  test('causes one warning in mode warn, however often it happens', () => {
    const { check, warnings } = givenCheck('warn')
    expect(check.check('BEGIN', ADVICE)).toBeUndefined()
    expect(check.check('START TRANSACTION', ADVICE)).toBeUndefined()
    check.onRelease('BEGIN', ADVICE)
    check.check('SELECT 1', ADVICE)

    expect(warnings).toEqual([expect.stringContaining(ADVICE)])
  })

  test.each<[mode: SessionStateMode, text: string, warnings: number]>([
    ['warn', 'BEGIN', 1],
    ['throw', 'BEGIN', 1],
    ['off', 'BEGIN', 0],
    ['warn', 'SELECT 1', 0],
  ])('in mode %s, a connection that is released after %s causes %i warnings', (mode, text, count) => {
    const { check, warnings } = givenCheck(mode)
    check.onRelease(text, ADVICE)

    expect(warnings).toHaveLength(count)
  })

  test('is not looked for in mode off', () => {
    const { check, warnings } = givenCheck('off')

    expect(check.check('BEGIN', ADVICE)).toBeUndefined()
    expect(warnings).toEqual([])
  })
})

describe('a statement that depends on its session', () => {
  function givenCheck(mode: SessionStateMode, topology?: Topology) {
    const warnings: string[] = []
    const check = new SessionStateCheck(mode, (message) => warnings.push(message))
    if (topology) check.setTopology(topology)
    return { check, warnings }
  }

  test.each<[mode: SessionStateMode, topology: Topology | undefined]>([
    ['throw', undefined],
    ['throw', DIRECT],
    ['off', POOLER],
  ])('passes unread in mode %s, given the topology %j', (mode, topology) => {
    const { check, warnings } = givenCheck(mode, topology)

    expect(check.reads).toBe(false)
    expect(check.check(SET)).toBeUndefined()
    expect(check.check('SELECT 1', 'name')).toBeUndefined()
    expect([check.findings, warnings]).toEqual([0, []])
  })

  test('is rejected behind a pooler in mode throw, every time', () => {
    const { check, warnings } = givenCheck('throw', POOLER)

    expect(check.reads).toBe(true)
    for (const text of [SET, SET]) expect(check.check(text)).toBeInstanceOf(SessionStateError)
    expect(check.check('SELECT 1')).toBeUndefined()
    expect([check.findings, warnings]).toEqual([2, []])
  })

  test('causes one warning for each construct in mode warn, and is counted once per text', () => {
    const { check, warnings } = givenCheck('warn', POOLER)
    for (const text of [SET, SET, `${SET} `, LISTEN]) expect(check.check(text)).toBeUndefined()

    expect(warnings).toEqual([expect.stringContaining('SET'), expect.stringContaining('LISTEN')])
    expect(check.findings).toBe(3)
  })

  test('may be a named statement, unless the pooler follows the names', () => {
    const unsafe = givenCheck('throw', POOLER).check.check('SELECT 1', 'by-name')
    expect(unsafe?.message).toContain('a named statement')
    expect(unsafe?.message).toContain('PgBouncer 1.21 and later')

    const safe = givenCheck('throw', { ...POOLER, preparedStatements: 'safe' }).check
    expect(safe.check('SELECT 1', 'by-name')).toBeUndefined()
    expect(safe.check(SET, 'by-name')).toBeInstanceOf(SessionStateError)
  })

  test('is read until the topology turns out to keep the session', () => {
    const { check } = givenCheck('throw', POOLER)
    expect(check.keepsSession).toBe(false)
    check.setTopology(DIRECT)

    expect([check.keepsSession, check.reads, check.check(SET)]).toEqual([true, false, undefined])
    expect(givenCheck('throw').check.keepsSession).toBe(true)
  })

  test.each<SessionStateMode>(['off', 'warn', 'throw'])('can be asked about in mode %s, too', (mode) => {
    expect(givenCheck(mode, POOLER).check.checkSession(LISTEN)).toBeInstanceOf(SessionStateError)
    expect(givenCheck(mode, POOLER).check.checkSession('SELECT 1')).toBeUndefined()
    expect(givenCheck(mode, DIRECT).check.checkSession(LISTEN)).toBeUndefined()
    expect(givenCheck(mode).check.checkSession(LISTEN)).toBeUndefined()
  })
})

describe('the options of automatic preparing', () => {
  test.each<[options: PrepareOptions, message: string]>([
    [{ prepareThreshold: -1 }, 'Invalid option prepareThreshold: -1. It takes a whole number of at least 0'],
    [{ prepareThreshold: 1.5 }, 'Invalid option prepareThreshold: 1.5.'],
    [{ maxPreparedStatements: 0 }, 'Invalid option maxPreparedStatements: 0. It takes a whole number of at least 1'],
    [{ prepareTypes: 'some' as never }, "Invalid option prepareTypes: 'some'. It takes one of 'proven', 'all'."],
  ])('%o is rejected', (options, message) => {
    expect(() => validatePrepareOptions(options)).toThrow(InvalidOptionError)
    expect(() => validatePrepareOptions(options)).toThrow(message)
  })

  test.each<PrepareOptions>([
    {},
    { prepareThreshold: null },
    { prepareThreshold: 0, maxPreparedStatements: 1, prepareTypes: 'all' },
    { prepareTypes: 'proven' },
  ])('%o is accepted', (options) => {
    expect(() => validatePrepareOptions(options)).not.toThrow()
  })
})
