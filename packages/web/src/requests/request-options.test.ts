import { expect, test } from 'vitest'
import { type RequestOptions, readRequestSettings } from './request-options.ts'

test('given load shedding, then it is by overload unless a number of waiters is given', () => {
  expect(readRequestSettings({}).shedLoad).toBeUndefined()
  expect(readRequestSettings({ shedLoad: false }).shedLoad).toBeUndefined()
  expect(readRequestSettings({ shedLoad: true }).shedLoad).toEqual({})
  const both = { waiters: 5, retryAfterSeconds: 9 }
  expect(readRequestSettings({ shedLoad: both }).shedLoad).toEqual(both)
})

test.each<[option: string, options: object]>([
  ['labels', { labels: 1 }],
  ['deadlines', { deadlines: 500 }],
  ['mapErrors', { mapErrors: null }],
  ['shedLoad', { shedLoad: 50 }],
  ['shedLoad', { shedLoad: null }],
  ['shedLoad.waiters', { shedLoad: { waiters: -1 } }],
  ['shedLoad.retryAfterSeconds', { shedLoad: { waiters: 1, retryAfterSeconds: 0.5 } }],
])('given a wrong %s, then the error names it: %o', (option, options) => {
  expect(() => readRequestSettings(options as RequestOptions)).toThrow(
    expect.objectContaining({ code: 'POOLGUARD_INVALID_OPTION', option }),
  )
})
