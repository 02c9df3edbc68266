import { describe, expect, test } from 'vitest'
import { rejectForeignOptions, rejectMisspeltOptions } from './option-names.ts'

describe('options of poolguard that would have no effect are rejected', () => {
  test.each([
    [
      { instance: 6 },
      'Invalid option instance: 6. It takes no value: this option does not exist. Did you mean instances?',
    ],
    [{ Fleet: { app: 'x' } }, 'Did you mean fleet?'],
    [{ max_prepared_statements: 3 }, 'Did you mean maxPreparedStatements?'],
    [
      { acquireTimeoutMillis: 3 },
      'Invalid option acquireTimeoutMillis: 3. It takes no value here: set pool.acquireTimeoutMillis instead.',
    ],
    [
      { consoleUrl: 'postgres://a:s3cret@b' },
      'a text of 21 characters (not shown). It takes no value here: set fleet.consoleUrl instead',
    ],
    [{ max_waiters: 3 }, 'set pool.maxWaiters instead.'],
    [{ pipeline: 'reads' }, 'set pool.pipeline instead.'],
  ])('%j', (options, message) => {
    expect(() => rejectMisspeltOptions(options)).toThrow(message)
  })

  test.each([
    {},
    { url: 'postgres://db/x', instances: 6, pool: { acquireTimeoutMillis: 3 } },
    { max: 5, min: 1, maxUses: 3, idleTimeoutMillis: 1_000, connectionTimeoutMillis: 3, maxLifetimeSeconds: 3 },
    { max_lifetime: 3, idle_timeout: 3, connect_timeout: 3, max_pipeline: 3, host: 'db', options: '-c x=y' },
    { instance: undefined },
    { pipeline: true },
  ])('options of a driver are not rejected: %j', (options) => {
    expect(() => rejectMisspeltOptions(options)).not.toThrow()
  })

  test('options of poolguard in an object for another library are rejected', () => {
    const place = 'the first argument, as in new PrismaPg({ url, fleet })'
    expect(() => rejectForeignOptions({ schema: 'x', fleet: { app: 'orders' } }, place)).toThrow(
      'Invalid option fleet: an object. It takes no value here: set it in the first argument, as in new PrismaPg({ url, fleet }).',
    )
    expect(() => rejectForeignOptions({ schema: 'x', name: 'y', url: 'z', fleet: undefined }, place)).not.toThrow()
  })
})
