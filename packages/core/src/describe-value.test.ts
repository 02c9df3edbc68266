import { describe, expect, test } from 'vitest'
import { describeValue } from './describe-value.ts'
import { InvalidOptionError } from './invalid-option-error.ts'

describe('the value of an option in an error', () => {
  test.each([
    ['pool.max', -1, '-1'],
    ['pool.max', Number.NaN, 'NaN'],
    ['pool.max', 5n, '5'],
    ['pool.max', 'ten', "'ten'"],
    ['lint', '', "''"],
    ['lint', null, 'null'],
    ['lint', undefined, 'undefined'],
    ['lint', true, 'true'],
    ['source', 'one:5432/app', "'one:5432/app'"],
    ['pool', { max: 1 }, 'an object'],
    ['pools', [1, 2], 'an array of 2'],
    ['url', new URL('postgres://a:s3cret@b'), 'an object'],
    ['pool', () => {}, 'a function'],
    ['pool', Symbol('s3cret'), 'a symbol'],
  ])('%s is described (%#)', (option, value, described) => {
    expect(describeValue(option, value)).toBe(described)
  })

  const SECRETS: readonly (readonly [option: string, value: unknown])[] = [
    ...[
      'postgres://app:s3cret@db/x',
      'mysql://app:s3cret@db',
      'pgsql://app:s3cret@db',
      'postgres:/app:s3cret@db',
      'app:s3cret@db',
      'postgres://app@server:s3cret@host',
      'postgres%3A%2F%2Fapp%3As3cret%40db',
      'password=s3cret',
      'password=s3\\ cret',
      "password='s3cret",
      '-----BEGIN PRIVATE KEY-----s3cret',
      `s3cret\nkey`,
      `${'x'.repeat(40)}s3cret`,
    ].map((text) => ['pool.max', text] as const),
    ...['s3cret', ['s3cret'], [['s3cret']], new Set(['s3cret']), { token: 's3cret' }, 73_297].map(
      (value) => ['adminToken', value] as const,
    ),
    ['password', 's3cret'],
    ['ssl.key', 's3cret'],
    ['ssl', { key: 's3cret' }],
    ['config', new Error('s3cret')],
  ]
  test.each(SECRETS)('%s: a secret is not shown (%#)', (option, value) => {
    const error = new InvalidOptionError(option, value, 'something else')

    // Only the stack's first line: the following lines have paths of this machine.
    const stack = String(error.stack).split('\n    at ')[0]
    for (const shown of [error.message, stack, JSON.stringify(error), error.within('pool').message]) {
      expect(shown).not.toMatch(/s3|cret|73297/)
    }
  })
})
