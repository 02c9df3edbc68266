import { describe, expect, test } from 'vitest'
import {
  AcquireTimeoutError,
  ConnectError,
  PoolClosedError,
  PoolOverloadedError,
  PoolSaturatedError,
  type PoolState,
} from '../pool/index.ts'
import { isPoolTimeout, isTooManyConnections, retryAfterMillis } from './error-shapes.ts'

const starved: PoolState = {
  name: 'orders',
  max: 10,
  limit: 10,
  total: 10,
  idle: 0,
  active: 10,
  connecting: 0,
  waiting: 3,
  oldestLeases: [],
  deadlocked: false,
  trouble: null,
}

/** An error with the fields that a library adds. */
function thrown(message: string, fields: object = {}): Error {
  return Object.assign(new Error(message), fields)
}

const serverFull = thrown('sorry, too many clients already', { code: '53300', severity: 'FATAL' })
const pgTimeout = thrown('timeout exceeded when trying to connect')
const p2024 =
  'Timed out fetching a new connection from the connection pool. More info: http://pris.ly/d/connection-pool'

/** The error that wraps the server's errors in Prisma 6 and 7. */
function driverAdapterError(cause: object): Error {
  return thrown('DriverAdapterError', { name: 'DriverAdapterError', cause })
}

const poolerFull = {
  kind: 'postgres',
  code: '08P01',
  originalCode: '08P01',
  message: 'no more connections allowed (max_client_conn)',
}

const timeouts: readonly (readonly [what: string, error: unknown])[] = [
  ['poolguard', new AcquireTimeoutError(10_000, starved)],
  ['a saturated pool of poolguard', new PoolSaturatedError(starved, 1_000)],
  [
    'an overloaded pool of poolguard',
    new PoolOverloadedError({
      reason: 'waited-too-long',
      ...{ waitedMillis: 12, serviceMillis: 20, retryAfterMillis: 1_500 },
      pool: starved,
    }),
  ],
  ['poolguard with only its message left', thrown(new AcquireTimeoutError(10_000, starved).message)],
  ["pg-pool's, and so Prisma 7's", pgTimeout],
  ["Prisma's, of the adapter or the Rust engine", thrown(p2024, { code: 'P2024', meta: { connection_limit: 5 } })],
  ["Prisma's at its start", thrown(p2024, { name: 'PrismaClientInitializationError', errorCode: 'P1001' })],
  [
    "Prisma's of a transaction",
    thrown('Transaction API error: Unable to start a transaction in the given time.', { code: 'P2028' }),
  ],
  ["PgBouncer's", thrown('query_wait_timeout', { code: '08P01' })],
  [
    "PgBouncer's through Prisma 7",
    thrown('Database error. Code: `08P01`. Message: `query_wait_timeout`', { code: 'P2039' }),
  ],
  [
    "PgBouncer's through Prisma's raw queries",
    thrown('Raw query failed.', {
      code: 'P2010',
      meta: {
        driverAdapterError: driverAdapterError({ originalCode: '08P01', originalMessage: 'query_wait_timeout' }),
      },
    }),
  ],
  ["Drizzle's", thrown('Failed query: select 1\nparams: ', { query: 'select 1', params: [], cause: pgTimeout })],
  ["TypeORM's", thrown('timeout', { query: 'select 1', driverError: pgTimeout })],
  ['one of several', new AggregateError([thrown('something else'), pgTimeout])],
  ['deep in causes', thrown('a', { cause: thrown('b', { cause: thrown('c', { cause: pgTimeout }) }) })],
]

const full: readonly (readonly [what: string, error: unknown])[] = [
  ["pg's and postgres.js's", serverFull],
  ["a role's limit", thrown('too many connections for role "app"', { code: '53300' })],
  ["PgBouncer's", thrown('no more connections allowed (max_client_conn)', { code: '08P01' })],
  ["PgBouncer 1.18's of the server", thrown('sorry, too many clients already', { code: '08P01' })],
  [
    "PgBouncer's of a failed login",
    thrown('server login has been failing, cached error: FATAL: sorry, too many clients already (server_login_retry)', {
      code: '08P01',
    }),
  ],
  [
    "Supavisor's",
    thrown('(EMAXCONN) max client connections reached, limit: 200', { code: 'XX000', severity: 'FATAL' }),
  ],
  ["Neon's", thrown('Too many connections attempts', { code: 'XX000', severity: 'FATAL' })],
  ["Supavisor's through Drizzle", thrown('Failed query', { cause: thrown('Max client connections reached') })],
  ["RDS Proxy's", thrown('Rate of connection to proxy exceeded 20.', { code: '08004' })],
  ["poolguard's ConnectError", new ConnectError('orders', serverFull)],
  ["Prisma's", thrown('Too many database connections opened: FATAL: sorry, too many clients', { code: 'P2037' })],
  [
    "Prisma's raw queries",
    thrown('Raw query failed. Code: `53300`.', {
      code: 'P2010',
      meta: { driverAdapterError: driverAdapterError({ originalCode: '53300', kind: 'TooManyConnections' }) },
    }),
  ],
  [
    "Prisma's raw queries with the Rust engine",
    thrown('Raw query failed.', { code: 'P2010', meta: { code: '53300' } }),
  ],
  ["Prisma's at its start", thrown('Error querying the database: FATAL: sorry, too many clients already')],
  [
    'PgBouncer through Prisma 7',
    thrown('x', { code: 'P2039', meta: { driverAdapterError: driverAdapterError(poolerFull) } }),
  ],
  ['PgBouncer through Prisma 6', driverAdapterError(poolerFull)],
  ["Drizzle's", thrown('Failed query: select 1', { cause: serverFull })],
  ["TypeORM's", thrown('sorry', { driverError: serverFull })],
  ['one of several addresses', new AggregateError([thrown('connect ECONNREFUSED'), serverFull])],
]

const both = new AcquireTimeoutError(10_000, { ...starved, trouble: { failure: 'full', error: serverFull } })

const neither: readonly unknown[] = [
  undefined,
  null,
  '',
  'timeout exceeded when trying to connect',
  53300,
  {},
  { code: 53300 },
  { message: 7, cause: 'sorry, too many clients already' },
  new Error('too many parameters'),
  thrown('duplicate key value violates unique constraint', { code: '23505' }),
  thrown('canceling statement due to statement timeout', { code: '57014' }),
  thrown('connect ECONNREFUSED 127.0.0.1:5432', { code: 'ECONNREFUSED' }),
  thrown('Connection terminated due to connection timeout'),
  thrown('too many connections, or so this text would have it', { code: 'XX000' }),
  thrown('Unique constraint failed', { code: 'P2002', meta: { modelName: 'Account', target: ['id'] } }),
  thrown('Transaction API error: Transaction already closed', { code: 'P2028' }),
  new PoolClosedError('orders'),
  new AggregateError([]),
]

test.each(timeouts)('given %s, then it is only a pool timeout', (_, error) => {
  expect([isPoolTimeout(error), isTooManyConnections(error)]).toEqual([true, false])
})

test.each(full)('given %s, then it is only too many connections', (_, error) => {
  expect([isPoolTimeout(error), isTooManyConnections(error)]).toEqual([false, true])
})

test.each([
  ['poolguard', both],
  ['poolguard with only its code and message left', thrown(both.message, { code: both.code })],
  [
    "Supavisor's checkout timeout",
    thrown('(ECHECKOUTTIMEOUT) unable to check out connection from the pool after 60000ms', { code: 'XX000' }),
  ],
  ["RDS Proxy's checkout timeout", thrown('Timed-out waiting to acquire database connection.', { code: '08000' })],
  ["Prisma's guarded adapter", thrown(`Too many database connections opened: ${both.message}`, { code: 'P2037' })],
])('given a timeout because the server was full, as an error of %s, then it is both', (_, error) => {
  expect([isPoolTimeout(error), isTooManyConnections(error)]).toEqual([true, true])
})

test.each(neither)('given %o, then it is neither', (error) => {
  expect([isPoolTimeout(error), isTooManyConnections(error)]).toEqual([false, false])
})

describe('given circular causes', () => {
  test.each([
    ['nothing else', new Error('b'), false],
    ['a timeout among them', pgTimeout, true],
  ])('with %s, then the search ends', (_, inner, expected) => {
    const outer = thrown('a', { cause: thrown('again', { driverError: inner }) })
    const circle = Object.assign(new Error('circle'), { cause: outer, errors: [outer] })
    Object.assign(outer, { meta: circle })

    expect(isPoolTimeout(circle)).toBe(expected)
    expect(isTooManyConnections(circle)).toBe(false)
  })
})

test('a rejection says when to try again, also if an ORM has wrapped it', () => {
  const rejection = new PoolSaturatedError(starved, 1_000, 2_500)

  expect(retryAfterMillis(rejection)).toBe(2_500)
  expect(retryAfterMillis(new Error('Failed query', { cause: rejection }))).toBe(2_500)
  expect(retryAfterMillis(new AggregateError([new Error('other'), rejection]))).toBe(2_500)
  expect(retryAfterMillis(pgTimeout)).toBeUndefined()
  expect(retryAfterMillis(undefined)).toBeUndefined()
})
