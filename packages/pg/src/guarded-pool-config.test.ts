import { describe, expect, test } from 'vitest'
import { type GuardedPoolConfig, readConfig } from './guarded-pool-config.ts'

describe('the configuration of a guarded pool', () => {
  test.for<[GuardedPoolConfig, object]>([
    [
      { max: 4, min: 1, maxUses: 9 },
      { max: 4, min: 1, maxUses: 9 },
    ],
    [{ max: 0, min: 0, maxUses: 0 }, { maxUses: Infinity }],
    [{ idleTimeoutMillis: 5 }, { idleTimeoutMillis: 5 }],
    [{ idleTimeoutMillis: 0 }, { idleTimeoutMillis: Infinity }],
    [{ idleTimeoutMillis: null }, {}],
    [{ maxLifetimeSeconds: 60 }, { maxLifetimeMillis: 60_000 }],
    [{ maxLifetimeSeconds: 0 }, { maxLifetimeMillis: Infinity }],
    [{ connectionTimeoutMillis: 7 }, { acquireTimeoutMillis: 7, connectTimeoutMillis: 7 }],
    [{ connectionTimeoutMillis: 0 }, { acquireTimeoutMillis: Infinity }],
    [{ max: 4, pool: { max: 5 } }, { max: 5 }],
    [
      { url: 'postgresql://db/orders?connection_limit=7&pool_timeout=20&idle_timeout=60' },
      { max: 7, acquireTimeoutMillis: 20_000, idleTimeoutMillis: 60_000 },
    ],
    [{ url: 'postgresql://db/orders?connection_limit=7', max: 4 }, { max: 4 }],
  ])('given %o, then the settings are %o', ([config, settings]) => {
    expect(readConfig(config).options.pool).toEqual(settings)
  })

  test('given a URL, then clients get it as pg reads it, and what is shown has no password', () => {
    const { client, name, target } = readConfig({ url: 'postgres://app:p@ss/word@db:5433/orders' })
    expect(client.connectionString).toBe('postgres://app:p%40ss%2Fword@db:5433/orders')
    expect(client).not.toHaveProperty('url')
    expect([name, target]).toEqual(['orders', 'postgres://app:***@db:5433/orders'])
  })

  test.for([
    'postgresql://app:secret@db:5433/orders?options=-c+geqo%3Doff',
    'postgresql://app:p%40ss@[::1]/orders',
    'postgresql:///orders?host=/var/run',
    'socket:/var/run?db=orders',
    '/var/run orders',
  ])('given %s, which pg reads as we do, then clients get it as it was written', (url) => {
    expect(readConfig({ url }).client.connectionString).toBe(url)
  })

  test('given a raw password that pg would take for something else, then clients get it in the spelling that is clear', () => {
    for (const url of ['postgresql://app:12#x@db/orders', 'postgresql://app:12/x@db/orders']) {
      expect(readConfig({ url }).client.connectionString).toMatch(/^postgresql:\/\/app:12%\w\wx@db\/orders$/)
    }
  })

  test('given the timeout for connecting, then clients do not get it: the engine keeps it', () => {
    expect(readConfig({ connectionTimeoutMillis: 7 }).client).not.toHaveProperty('connectionTimeoutMillis')
  })

  test('given no URL, then it is named after its database, and shown by host', () => {
    const { name, target } = readConfig({ host: 'db', database: 'orders', password: 'secret' })
    expect([name, target]).toEqual(['orders', 'postgresql://db:5432/orders'])
  })

  test.for<[GuardedPoolConfig, string]>([
    [
      { url: undefined },
      'Invalid option url: undefined. It takes a connection string; is the environment variable set',
    ],
    [{ url: 'postgres://a/b', connectionString: 'postgres://a/b' }, 'Invalid option connectionString'],
    [{ url: 'mysql://a/b' }, 'Invalid connection string'],
    [
      { reset: 'everything' as never },
      "Invalid option reset: 'everything'. It takes one of 'rollback', 'discard', 'off'.",
    ],
    [{ lint: 'loud' as never }, "Invalid option lint: 'loud'. It takes one of 'warn', 'throw', 'off'."],
  ])('given %o, then it is refused by name', ([config, message]) => {
    expect(() => readConfig(config)).toThrow(message)
  })
})
