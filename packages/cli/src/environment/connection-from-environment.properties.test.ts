import { inspect } from 'node:util'
import { PoolguardError } from '@poolguard/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { connectionFromEnvironment } from './connection-from-environment.ts'

/** Part of every generated password, and of no other value. */
const SECRET = 'sW0rdfish'

const RUNS = process.env.POOLGUARD_MATRIX === 'full' ? 100_000 : 5_000

const password = fc.tuple(fc.string({ maxLength: 4 }), fc.string({ maxLength: 4 })).map(([a, b]) => `${a}${SECRET}${b}`)
const plain = fc.oneof(fc.constantFrom('db', 'a,b', '5432', 'true', 'false', '7', ''), fc.string({ maxLength: 8 }))
const urlOf = (scheme: string, encode: (text: string) => string) =>
  password.map((secret) => `${scheme}://app:${encode(secret)}@db:6432/orders?connection_limit=5`)
const url = fc.oneof(
  urlOf('postgresql', encodeURIComponent),
  urlOf('postgresql', (text) => text),
  urlOf('postgres', encodeURIComponent),
)

/** Environments in which every password contains {@link SECRET}. */
const environments = fc.record(
  {
    DATABASE_URL: fc.oneof(url, plain),
    DIRECT_URL: url,
    USE_PGBOUNCER: fc.constantFrom('true', 'false', '1', 'maybe'),
    PGBOUNCER_HOST: plain,
    PGBOUNCER_PORT: plain,
    PGBOUNCER_PASSWORD: password,
    POSTGRES_HOST: plain,
    POSTGRES_PORT: plain,
    POSTGRES_DB: plain,
    POSTGRES_DATABASE: plain,
    POSTGRES_USER: plain,
    POSTGRES_PASSWORD: password,
    PGHOST: plain,
    PGPORT: plain,
    PGUSER: plain,
    PGPASSWORD: password,
    PGSSLMODE: plain,
    PGOPTIONS: plain,
    DB_POOL_MAX: plain,
    DB_MAX_CONNECTIONS: plain,
    DB_POOL_IDLE_TIMEOUT: plain,
  },
  { requiredKeys: [] },
)

function resultOf<T>(run: () => T): T | PoolguardError {
  try {
    return run()
  } catch (error) {
    if (error instanceof PoolguardError) return error
    throw error
  }
}

test('passwords in the environment never appear in the output', { timeout: 900_000 }, () => {
  fc.assert(
    fc.property(environments, (env) => {
      const result = resultOf(() => connectionFromEnvironment(env))
      expect(`${inspect(result, { depth: 9 })} ${JSON.stringify(result)} ${result}`).not.toContain(SECRET)
    }),
    { seed: 17, numRuns: RUNS },
  )
})
