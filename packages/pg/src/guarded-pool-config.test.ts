import { describe, expect, test } from 'vitest'
import { type GuardedPoolConfig, readConfig } from './guarded-pool-config.ts'

describe('readConfig', () => {
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
  ])('%o sets %o', ([config, settings]) => {
    expect(readConfig(config).options.pool).toEqual(settings)
  })

  test('translates a URL into client options and hides the password in the target', () => {
    const { client, name, target } = readConfig({ url: 'postgres://app:p@ss/word@db:5433/orders' })
    expect(client).toEqual({ user: 'app', password: 'p@ss/word', host: 'db', port: 5433, database: 'orders' })
    expect([name, target]).toEqual(['orders', 'postgres://app@db:5433/orders'])
  })

  test.for<[string, object]>([
    ['postgresql://app@[::1]/orders', { user: 'app', host: '::1', database: 'orders' }],
    ['postgresql:///orders?host=/var/run', { host: '/var/run', database: 'orders' }],
    ['socket:/var/run?db=orders', { host: '/var/run', database: 'orders' }],
    ['/var/run orders', { host: '/var/run', database: 'orders' }],
    ['postgresql://db/orders?options=-c+geqo%3Doff', { host: 'db', database: 'orders', options: '-c geqo=off' }],
    ['postgresql://db/orders?statement_timeout=5s', { host: 'db', database: 'orders', statement_timeout: 5_000 }],
    ['postgresql://a,b/orders', { host: 'a', database: 'orders' }],
    [
      'postgresql://db/orders?sslmode=no-verify',
      { host: 'db', database: 'orders', ssl: { rejectUnauthorized: false } },
    ],
  ])('translates %s into the client options %o', ([url, options]) => {
    expect(readConfig({ url }).client).toEqual(options)
  })

  test('the URL overrides other options, as in pg', () => {
    const { client } = readConfig({ connectionString: 'postgresql://db/orders', host: 'other', user: 'app', ssl: true })
    expect(client).toEqual({ host: 'db', database: 'orders', user: 'app', ssl: true })
  })

  test('an unreadable certificate is rejected with the option and the path', () => {
    expect(() => readConfig({ url: 'postgresql://db/orders?sslrootcert=/not/there.crt' })).toThrow(
      "Invalid option url: '/not/there.crt'. It takes the paths of certificates that can be read",
    )
  })

  test.for<[string, string[]]>([
    ['postgresql://db/orders?connection_limit=5&pool_timeout=3&connect_timeout=1', []],
    ['postgresql://db/orders?pgbouncer=true', ['pgbouncer']],
    ['postgresql://a,b/orders?target_session_attrs=read-write&load_balance_hosts=random', []],
    ['postgresql://db/orders?sslmode=require', ['sslmode']],
  ])('%s produces warnings about the unsupported parameters %o', ([url, parameters]) => {
    expect(readConfig({ url }).warnings?.map(({ parameter }) => parameter)).toEqual(parameters)
  })

  test('clients do not get the connect timeout, because the engine enforces it', () => {
    expect(readConfig({ connectionTimeoutMillis: 7 }).client).not.toHaveProperty('connectionTimeoutMillis')
  })

  test('without a URL, the pool is named after the database, and the target shows the host', () => {
    const { name, target } = readConfig({ host: 'db', database: 'orders', password: 'secret' })
    expect([name, target]).toEqual(['orders', 'postgresql://db:5432/orders'])
  })

  test.for<[GuardedPoolConfig, string]>([
    [
      { url: undefined },
      'Invalid option url: undefined. It takes a connection string. Is the environment variable set',
    ],
    [{ url: 'postgres://a/b', connectionString: 'postgres://a/b' }, 'Invalid option connectionString'],
    [{ url: 'mysql://a/b' }, 'Invalid connection string'],
    [
      'postgres://app:s3cret@a/b' as never,
      'Invalid option config: a text of 25 characters (not shown). It takes an object, as in { url }',
    ],
    [null as never, 'Invalid option config: null. It takes an object, as in { url }'],
    [
      { resetOnRelease: 'everything' as never },
      "Invalid option resetOnRelease: 'everything'. It takes one of 'rollback', 'discard', 'off'.",
    ],
    [{ sessionState: 'loud' as never }, "Invalid option sessionState: 'loud'. It takes one of 'warn', 'throw', 'off'."],
  ])('%o is rejected with the name of the option', ([config, message]) => {
    expect(() => readConfig(config)).toThrow(message)
  })
})

test.each(['connectionString', 'url'] as const)('with an empty %s, the other options apply, as in pg', (name) => {
  const { client } = readConfig({ [name]: '', host: 'db', database: 'orders', user: 'app' })
  expect(client).toMatchObject({ host: 'db', database: 'orders', user: 'app' })
})

test('poolSize sets max unless max is set too', () => {
  expect(readConfig({ poolSize: 4 }).options.pool?.max).toBe(4)
  expect(readConfig({ poolSize: 4, max: 3 }).options.pool?.max).toBe(3)
})
