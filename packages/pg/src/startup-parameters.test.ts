import { expect, test } from 'vitest'
import { isRefusedStartupParameter, withoutStartupParameters } from './startup-parameters.ts'

test('given startup parameters, then they are dropped and named, and the rest is kept', () => {
  const { config, dropped } = withoutStartupParameters({
    options: '-c geqo=off',
    statement_timeout: 5_000,
    application_name: 'shop',
    max: 3,
  })
  expect(dropped).toEqual(['statement_timeout', 'options'])
  expect(config).toEqual({ application_name: 'shop', max: 3 })
})

test('given none, then nothing is dropped', () => {
  expect(withoutStartupParameters({ host: 'db', statement_timeout: false })).toMatchObject({ dropped: [] })
})

test.for([
  ['08P01', 'unsupported startup parameter: statement_timeout', true],
  ['08P01', 'unsupported startup parameter in options: geqo', true],
  ['08P01', 'no such database: orders', false],
  ['42704', 'unrecognized configuration parameter "x"', false],
] as const)('given %s %s, is it a refused startup parameter: %s', ([code, message, refused]) => {
  expect(isRefusedStartupParameter(Object.assign(new Error(message), { code }))).toBe(refused)
})
