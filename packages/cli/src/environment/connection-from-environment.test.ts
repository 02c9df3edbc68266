import { inspect } from 'node:util'
import { ConnectionStringError, InvalidOptionError } from '@poolguard/core'
import { describe, expect, test } from 'vitest'
import { connectionFromEnvironment } from './connection-from-environment.ts'
import type { Environment } from './pool-from-environment.ts'

const bouncer: Environment = {
  USE_PGBOUNCER: 'true',
  PGBOUNCER_HOST: 'pooler',
  PGBOUNCER_PORT: '6432',
  POSTGRES_HOST: 'db',
  POSTGRES_PORT: '5432',
  POSTGRES_DB: 'orders',
  POSTGRES_USER: 'app',
  POSTGRES_PASSWORD: 's3cret',
}

describe('where the app connects', () => {
  test.each<[env: Environment, url: string, direct: string | undefined]>([
    [{ DATABASE_URL: 'postgresql://app:s3cret@db/x' }, 'postgresql://app:s3cret@db/x', undefined],
    [{ DATABASE_URL: 'postgresql://p/x', DIRECT_URL: 'postgresql://db/x' }, 'postgresql://p/x', 'postgresql://db/x'],
    [{ DATABASE_URL: 'postgresql://a', POSTGRES_HOST: 'a', PGHOST: 'a' }, 'postgresql://a', undefined],
    [bouncer, 'postgresql://app:s3cret@pooler:6432/orders', 'postgresql://app:s3cret@db:5432/orders'],
    [{ ...bouncer, USE_PGBOUNCER: 'false' }, 'postgresql://app:s3cret@db:5432/orders', undefined],
    [{ ...bouncer, DIRECT_URL: 'postgresql://d/x' }, 'postgresql://app:s3cret@pooler:6432/orders', 'postgresql://d/x'],
    [
      { ...bouncer, PGBOUNCER_USER: 'pool', PGBOUNCER_PASSWORD: 'other', PGBOUNCER_DATABASE: 'pooled' },
      'postgresql://pool:other@pooler:6432/pooled',
      'postgresql://app:s3cret@db:5432/orders',
    ],
    [
      { ...bouncer, PGBOUNCER_USER: 'pool' },
      'postgresql://pool@pooler:6432/orders',
      'postgresql://app:s3cret@db:5432/orders',
    ],
    [
      { USE_PGBOUNCER: '1', PGBOUNCER_HOST: 'pooler', DATABASE_URL: 'postgresql://db/x' },
      'postgresql://pooler',
      'postgresql://db/x',
    ],
    [{ USE_PGBOUNCER: 'on', DATABASE_URL: 'postgresql://db/x' }, 'postgresql://db/x', undefined],
    [{ POSTGRES_HOST: 'db', POSTGRES_DATABASE: 'x', POSTGRES_USER: 'app' }, 'postgresql://app@db/x', undefined],
    [{ PGHOST: 'a,b', PGPORT: '1,2', PGUSER: 'app', PGDATABASE: 'x' }, 'postgresql://app@a:1,b:2/x', undefined],
    [{ PGHOST: '/tmp', PGDATABASE: 'x' }, 'postgresql://%2Ftmp/x', undefined],
    [{ PGDATABASE: 'x', PGPORT: '5433' }, 'postgresql://localhost:5433/x', undefined],
    [
      { PGHOST: 'db', PGSSLMODE: 'require', PGAPPNAME: 'web', PGOPTIONS: '-c geqo=off', PGCONNECT_TIMEOUT: '5' },
      'postgresql://db/?sslmode=require&application_name=web&options=-c%20geqo%3Doff&connect_timeout=5',
      undefined,
    ],
    [
      { DATABASE_URL: 'postgresql:///x', PGHOST: 'db', PGPORT: '5433', PGUSER: 'app', PGPASSWORD: 'p' },
      'postgresql://app:p@db:5433/x',
      undefined,
    ],
    [{ DATABASE_URL: 'postgresql://db/x', PGPORT: '5433' }, 'postgresql://db:5433/x', undefined],
    [{ DATABASE_URL: 'postgresql://app@db/x', PGUSER: 'root', PGPASSWORD: 'p' }, 'postgresql://app@db/x', undefined],
    [
      { DATABASE_URL: 'postgresql://app@db/x?sslmode=disable', PGSSLMODE: 'require' },
      'postgresql://app@db/x?sslmode=disable',
      undefined,
    ],
    [{ DATABASE_URL: '', PGHOST: 'db' }, 'postgresql://db', undefined],
  ])('%o', (env, url, direct) => {
    const read = connectionFromEnvironment(env)
    expect([read.url.href, read.direct?.href]).toEqual([url, direct])
  })

  test('sources names the variable behind each part', () => {
    expect(connectionFromEnvironment({ ...bouncer, PGSSLMODE: 'require', DB_POOL_MAX: '5' }).sources).toEqual({
      host: 'PGBOUNCER_HOST',
      port: 'PGBOUNCER_PORT',
      user: 'POSTGRES_USER',
      password: 'POSTGRES_PASSWORD',
      database: 'POSTGRES_DB',
      sslmode: 'PGSSLMODE',
      direct: 'POSTGRES_HOST',
      max: 'DB_POOL_MAX',
    })
    expect(connectionFromEnvironment({ DATABASE_URL: 'postgresql://app@db:1/x?a=b', PGPASSWORD: 'p' }).sources).toEqual(
      {
        user: 'DATABASE_URL',
        host: 'DATABASE_URL',
        port: 'DATABASE_URL',
        database: 'DATABASE_URL',
        a: 'DATABASE_URL',
        password: 'PGPASSWORD',
      },
    )
  })
})

describe('the pool', () => {
  test.each<[env: Environment, pool: object]>([
    [{}, {}],
    [{ DB_MAX_CONNECTIONS: '20' }, { max: 20 }],
    [{ DB_POOL_MAX: '5', DB_MAX_CONNECTIONS: '20' }, { max: 5 }],
    [
      { DB_POOL_MIN: '1', DB_POOL_IDLE_TIMEOUT: '30000' },
      { min: 1, idleTimeoutMillis: 30_000 },
    ],
    [{ DB_POOL_IDLE_TIMEOUT: '0' }, { idleTimeoutMillis: Infinity }],
    [{ DB_POOL_MAX: '' }, {}],
  ])('%o', (env, pool) => {
    expect(connectionFromEnvironment({ DATABASE_URL: 'postgresql://db', ...env }).pool).toEqual(pool)
  })
})

describe('conflicts', () => {
  test.each<[env: Environment, warnings: string[]]>([
    [
      { DATABASE_URL: 'postgresql://app:s3cret@a/x', PGHOST: 'b', PGDATABASE: 'y' },
      ['PGHOST conflicting-variables', 'PGDATABASE conflicting-variables'],
    ],
    [
      { DATABASE_URL: 'postgresql://app:s3cret@a', POSTGRES_HOST: 'a', POSTGRES_PASSWORD: 'hunter22' },
      ['POSTGRES_PASSWORD conflicting-variables'],
    ],
    [{ DATABASE_URL: 'postgresql://a/?sslmode=disable', PGSSLMODE: 'require' }, ['PGSSLMODE conflicting-variables']],
    [{ DATABASE_URL: 'postgresql://a:5432', PGPORT: '5432' }, []],
    [{ POSTGRES_HOST: 'a', POSTGRES_DATABASE: 'x', POSTGRES_DB: 'y' }, ['POSTGRES_DB conflicting-variables']],
    [{ ...bouncer, DATABASE_URL: 'postgresql://db/orders' }, ['DATABASE_URL conflicting-variables']],
    [bouncer, []],
    [{ ...bouncer, USE_PGBOUNCER: undefined }, ['PGBOUNCER_HOST pooler-not-used']],
    [{ ...bouncer, USE_PGBOUNCER: 'false' }, []],
    [{ USE_PGBOUNCER: 'true', DATABASE_URL: 'postgresql://a' }, ['USE_PGBOUNCER switch-without-host']],
    [{ PGHOST: 'a', DB_POOL_MAX: '5', DB_MAX_CONNECTIONS: '6' }, ['DB_MAX_CONNECTIONS conflicting-variables']],
    [{ PGHOST: 'a', DB_POOL_IDLE_TIMEOUT: '30' }, ['DB_POOL_IDLE_TIMEOUT looks-like-seconds']],
  ])('%o', (env, warnings) => {
    const read = connectionFromEnvironment(env)
    expect(read.warnings.map(({ code, parameter }) => `${parameter} ${code}`)).toEqual(warnings)
    expect(`${inspect(read, { depth: 9 })}${JSON.stringify(read)}`).not.toMatch(/s3cret|hunter22/)
  })
})

describe('invalid variables', () => {
  test.each<[env: Environment, message: string]>([
    [{}, 'DATABASE_URL'],
    [{ PGPASSWORD: 's3cret' }, 'DATABASE_URL'],
    [{ USE_PGBOUNCER: 'maybe', DATABASE_URL: 'postgresql://a' }, "USE_PGBOUNCER: 'maybe'. It takes true or false"],
    [{ USE_PGBOUNCER: 'true', POSTGRES_HOST: 'db' }, 'PGBOUNCER_HOST'],
    [{ POSTGRES_HOST: 'db', POSTGRES_PORT: 'x' }, "POSTGRES_PORT: 'x'. It takes a port"],
    [{ PGHOST: 'a,b', PGPORT: '1,2,3' }, 'one for each host'],
    [{ PGHOST: 'a', PGPORT: '70000' }, "PGPORT: '70000'"],
    [{ PGHOST: 'a', DB_POOL_MAX: '0' }, "DB_POOL_MAX: '0'. It takes a whole number of connections, at least 1"],
    [{ PGHOST: 'a', DB_POOL_MIN: 'two' }, "DB_POOL_MIN: 'two'"],
    [
      { PGHOST: 'a', DB_POOL_IDLE_TIMEOUT: '30s' },
      "DB_POOL_IDLE_TIMEOUT: '30s'. It takes a whole number of milliseconds",
    ],
    [{ PGHOST: 'a', DB_POOL_MIN: '6', DB_MAX_CONNECTIONS: '5' }, 'at most 5, the value of DB_MAX_CONNECTIONS'],
  ])('%o', (env, message) => {
    expect(() => connectionFromEnvironment(env)).toThrow(InvalidOptionError)
    expect(() => connectionFromEnvironment(env)).toThrow(message)
  })

  test.each(['DATABASE_URL', 'DIRECT_URL'])(
    'an error about an invalid %s names the variable and hides the value',
    (name) => {
      const env = { DATABASE_URL: 'postgresql://a', [name]: 'postgresql://app:s3cret@db:port/x' }
      let error: unknown
      try {
        connectionFromEnvironment(env)
      } catch (thrown) {
        error = thrown
      }
      expect(error).toBeInstanceOf(ConnectionStringError)
      expect(error).toMatchObject({ part: 'port', message: expect.stringContaining(`in ${name}: the port`) })
      expect(inspect(error)).not.toContain('s3cret')
    },
  )
})

test.each<[what: string, env: Record<string, string>, url: string | undefined]>([
  [
    'DB_',
    { DB_HOST: 'db', DB_PORT: '5433', DB_USERNAME: 'app', DB_PASS: 's3cret', DB_NAME: 'orders' },
    'postgresql://app@db:5433/orders',
  ],
  ['DATABASE_', { DATABASE_HOST: 'db', DATABASE_USER: 'app', DATABASE_NAME: 'orders' }, 'postgresql://app@db/orders'],
  [
    'TYPEORM_',
    { TYPEORM_CONNECTION: 'postgres', TYPEORM_HOST: 'db', TYPEORM_USERNAME: 'app', TYPEORM_DATABASE: 'orders' },
    'postgresql://app@db/orders',
  ],
  ['RDS_', { RDS_HOSTNAME: 'db', RDS_USERNAME: 'app', RDS_DB_NAME: 'orders' }, 'postgresql://app@db/orders'],
  ['PG_', { PG_HOST: 'db', PG_USER: 'app', PG_DATABASE: 'orders' }, 'postgresql://app@db/orders'],
  ['POSTGRES_ before DB_', { POSTGRES_SERVER: 'one', DB_HOST: 'other' }, 'postgresql://one'],
  ['a URL before parts', { DATABASE_URL: 'postgresql://one/a', DB_HOST: 'other' }, 'postgresql://one/a'],
  ['Vercel', { POSTGRES_URL: 'postgres://one/a', POSTGRES_HOST: 'other' }, 'postgres://one/a'],
  ['Payload', { DATABASE_URI: 'postgres://one/a' }, 'postgres://one/a'],
  ['MySQL by its port', { DB_HOST: 'db', DB_PORT: '3306' }, undefined],
  ['MySQL by its name', { DB_CONNECTION: 'mysql', DB_HOST: 'db' }, undefined],
  ['another URL', { DB_URL: 'mysql://db/a' }, undefined],
])('variables in parts and under other names: %s', (_what, env, url) => {
  if (url === undefined) expect(() => connectionFromEnvironment(env)).toThrow('DATABASE_URL')
  else expect(connectionFromEnvironment(env).url.with({ password: undefined }).toString()).toBe(url)
})

test('a variable that the sources name comes first', () => {
  const env = {
    DATABASE_URL: 'postgres://one/a',
    ORDERS_URL: 'postgres://orders/b',
    POSTGRES_URL_NON_POOLING: 'postgres://direct/b',
  }
  const { url, direct, sources } = connectionFromEnvironment(env, ['ORDERS_URL'])

  expect(`${url}`).toBe('postgres://orders/b')
  expect(`${direct}`).toBe('postgres://direct/b')
  expect(sources.host).toBe('ORDERS_URL')
})
