import { describe, expect, test } from 'vitest'
import { InvalidOptionError } from '../invalid-option-error.ts'
import { DEFAULT_POOL_SETTINGS, validatePoolSettings } from './pool-settings.ts'

function messageFor(settings: object): string | undefined {
  try {
    validatePoolSettings(settings)
    return undefined
  } catch (error) {
    if (!(error instanceof InvalidOptionError)) throw error
    return error.message
  }
}

describe('settings of a pool', () => {
  test.each([
    {},
    DEFAULT_POOL_SETTINGS,
    { max: 1, min: 1 },
    { max: undefined, overload: undefined },
    { limit: 1 },
    { limit: 'max' },
    { limit: 'cores', serverCores: 1 },
    { limit: 'adaptive' },
    { maxUses: Infinity, maxWaiters: Infinity },
    { maxUses: 1, maxWaiters: 0 },
    { connectTimeoutMillis: 1, maxLifetimeMillis: 1 },
    { acquireTimeoutMillis: 0, idleTimeoutMillis: 0, drainMillis: 0.5 },
    { leakThresholdMillis: Infinity, longQueryMillis: Infinity },
    { captureStacks: 'never', overload: 'shed', pipeline: 'all' },
  ])('%o are valid', (settings) => {
    expect(messageFor(settings)).toBeUndefined()
  })

  test.each([
    [{ max: 0 }, 'pool.max: 0. It takes a whole number of at least 1.'],
    [{ max: 1.5 }, 'pool.max: 1.5. It takes a whole number of at least 1.'],
    [{ max: Infinity }, 'pool.max: Infinity. It takes a whole number of at least 1.'],
    [{ min: -1 }, 'pool.min: -1. It takes a whole number of at least 0.'],
    [{ min: Infinity }, 'pool.min: Infinity. It takes a whole number of at least 0.'],
    [{ serverCores: Infinity }, 'pool.serverCores: Infinity. It takes a whole number of at least 1.'],
    [{ maxUses: 0 }, 'pool.maxUses: 0. It takes a whole number of at least 1.'],
    [{ maxWaiters: -1 }, 'pool.maxWaiters: -1. It takes a whole number of at least 0.'],
    [
      { connectTimeoutMillis: 0 },
      'pool.connectTimeoutMillis: 0. It takes a number of milliseconds of at least 1, or Infinity.',
    ],
    [
      { maxLifetimeMillis: 0 },
      'pool.maxLifetimeMillis: 0. It takes a number of milliseconds of at least 1, or Infinity.',
    ],
    [{ drainMillis: -1 }, 'pool.drainMillis: -1. It takes a number of milliseconds, or Infinity.'],
    [{ overload: 'drop' }, `pool.overload: 'drop'. It takes one of 'wait', 'shed'.`],
    [{ pipeline: true }, `pool.pipeline: true. It takes one of 'off', 'reads', 'all'.`],
    [{ captureStacks: 'once' }, `pool.captureStacks: 'once'. It takes one of 'always', 'adaptive', 'never'.`],
    [{ max: 4, min: 5 }, 'pool.min: 5. It takes no more than pool.max, which is 4.'],
  ])('%o are not', (settings, message) => {
    expect(messageFor(settings)).toBe(`Invalid option ${message}`)
  })

  test.each([0, -1, 1.5, Infinity, 'most', true])('a limit of %o is not', (limit) => {
    expect(messageFor({ limit })).toMatch(
      /^Invalid option pool\.limit: .*\. It takes 'max', 'cores', 'adaptive', or a number of connections of at least 1\.$/,
    )
  })

  test('with an unknown name are not, and the error names those that exist', () => {
    expect(messageFor({ size: 5 })).toMatch(
      /^Invalid option pool\.size: 5\. It takes no value: there is no such setting, only max, min, limit, .*, shareWithinMillis\.$/,
    )
    expect(messageFor({ toString: 5 })).toMatch(/there is no such setting/)
  })
})
