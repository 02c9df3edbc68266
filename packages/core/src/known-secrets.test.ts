import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { KnownSecrets } from './known-secrets.ts'

describe('the secrets of a pool', () => {
  test('are hidden in a text, raw and percent-encoded', () => {
    const secrets = new KnownSecrets(['s3cr/t-word'])

    expect(secrets.hideIn('no s3cr/t-word, no s3cr%2Ft-word')).toBe('no ***, no ***')
  })

  test('are hidden in an error, in its fields and in its causes', () => {
    const inner = Object.assign(new Error('s3cret1 in the cause'), { detail: 'of s3cret1' })
    const error = new AggregateError([new Error('one of s3cret1')], 'role "s3cret1" does not exist', { cause: inner })

    new KnownSecrets(['s3cret1']).hideInError(error)

    const shown = [error.message, error.stack, inner.message, inner.stack, inner.detail, error.errors[0].message]
    expect(shown.filter((text) => text.includes('s3cret1'))).toEqual([])
    expect(error.message).toBe('role "***" does not exist')
  })

  test.each(['password', 'a1', '', undefined, () => 's3cret1'])('%s is not hidden', (secret) => {
    expect(new KnownSecrets([secret]).hideIn('password a1 s3cret1')).toBe('password a1 s3cret1')
  })

  test('a read-only error is copied', () => {
    const error = Object.freeze(Object.assign(new TypeError('s3cret1'), { code: 'E' }))

    const shown = new KnownSecrets(['s3cret1']).hideInError(error) as typeof error

    expect(shown).toBeInstanceOf(TypeError)
    expect(shown).toMatchObject({ message: '***', code: 'E' })
    expect(inspect(shown)).not.toContain('s3cret1')
    expect(new KnownSecrets(['another1']).hideInError(error)).toBe(error)
  })

  test('given more than the maximum, then the oldest secrets are dropped', () => {
    const secrets = new KnownSecrets()
    for (let n = 0; n < 100; n++) secrets.add(`token-${n}`)

    expect(secrets.hideIn('token-0 token-99')).toBe('token-0 ***')
  })
})
