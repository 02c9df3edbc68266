import { expect, test } from 'vitest'
import { reportOf } from './messages.ts'
import { type Observation, verdictOf, wordFor } from './verdict.ts'

const FINE: Observation = {
  crash: undefined,
  hungCallers: 0,
  ended: true,
  committed: new Map([
    [1, 1],
    [2, 2],
  ]),
  rows: new Map([
    [1, 1],
    [2, 2],
  ]),
  expectedConnections: 4,
  connections: 4,
  sessionsLeft: 0,
  peakSessions: 4,
  errors: [{ text: 'terminating connection', code: '57P01' }],
  recoveryMillis: 10,
}

test.each<[string, Partial<Observation>]>([
  ['ok', {}],
  ['crash', { crash: 'exit code 1: Error: Connection terminated unexpectedly' }],
  ['lost 1', { rows: new Map([[2, 2]]) }],
  [
    'lost 1',
    {
      rows: new Map([
        [1, 1],
        [2, 1],
      ]),
    },
  ],
  [
    'torn 1',
    {
      rows: new Map([
        [1, 2],
        [2, 2],
      ]),
    },
  ],
  ['hang', { hungCallers: 2 }],
  ['hang', { ended: false }],
  ['dead', { recoveryMillis: undefined }],
  ['leak 1', { connections: 3 }],
  ['leak 2', { sessionsLeft: 2 }],
  ['unclear', { errors: [{ text: 'timeout exceeded when trying to connect', code: undefined }] }],
  // Without an acknowledgement both outcomes are right, but not half of a transaction.
  [
    'ok',
    {
      rows: new Map([
        [1, 1],
        [2, 2],
        [3, 2],
      ]),
    },
  ],
  [
    'ok',
    {
      rows: new Map([
        [1, 1],
        [2, 2],
        [-1, 3],
      ]),
    },
  ],
])('the word is %s, given %j', (word, seen) => {
  expect(wordFor(verdictOf({ ...FINE, ...seen }))).toBe(word)
})

test('an error has the code of its first cause that has one, and the first line of its message', () => {
  const cause = Object.assign(new Error('terminating'), { code: '57P01' })
  const error = new Error('\nInvalid invocation\n more', { cause: new Error('lost', { cause }) })
  expect(reportOf(error)).toEqual({ text: 'Invalid invocation', code: '57P01' })
  expect(reportOf(new Error('timeout'))).toEqual({ text: 'timeout', code: undefined })
  expect(reportOf(undefined)).toEqual({ text: 'undefined', code: undefined })
})

test('the same error of many statements is one unclear error', () => {
  const errors = ["values (25, 'only')", "values (26, 'only')"].map((text) => ({ text, code: undefined }))
  expect(verdictOf({ ...FINE, errors }).unclearErrors).toEqual(["values (n, 'only')"])
})
