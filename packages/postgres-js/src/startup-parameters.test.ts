import { expect, test } from 'vitest'
import { refusedStartupParameter } from './startup-parameters.ts'

const refusal = (message: string, code = '08P01') => Object.assign(new Error(message), { code })
const given = { statement_timeout: 5, options: '-c geqo=off', TimeZone: 'UTC' }

test.each([
  [refusal('unsupported startup parameter: statement_timeout'), 'statement_timeout'],
  [refusal('unsupported startup parameter: timezone'), 'TimeZone'],
  [refusal('unsupported startup parameter: options'), 'options'],
  [refusal('unsupported startup parameter in options: geqo'), 'options'],
  [refusal('unsupported startup parameter: elsewhere'), undefined],
  [refusal('no such database: x'), undefined],
  [refusal('unsupported startup parameter: statement_timeout', '42704'), undefined],
  [undefined, undefined],
])('given the error %o, then the refused parameter is %s', (error, expected) => {
  expect(refusedStartupParameter(error, given)).toBe(expected)
})
