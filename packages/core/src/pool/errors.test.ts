import { describe, expect, test } from 'vitest'
import { AcquireTimeoutError, ConnectError, PoolClosedError, PoolSaturatedError, type PoolState } from './errors.ts'

const calm: PoolState = {
  name: 'orders',
  max: 10,
  limit: 10,
  total: 10,
  idle: 0,
  active: 10,
  connecting: 0,
  waiting: 3,
  oldestLeases: [{ label: null, heldMillis: 8_123.4, quietMillis: 8_000, stack: null }],
  deadlocked: false,
  trouble: null,
}
const full = new Error('sorry, too many clients already')
const unreachable = new Error('connect ECONNREFUSED 10.0.0.5:5432')

describe('ConnectError of several addresses', () => {
  test('given a host name with several unreachable addresses, lists the error of each', () => {
    const cause = new AggregateError([
      new Error('connect ECONNREFUSED ::1:5432'),
      new Error('connect ECONNREFUSED 127.0.0.1:5432'),
    ])

    expect(new ConnectError('orders', cause).message).toBe(
      'connect ECONNREFUSED ::1:5432, connect ECONNREFUSED 127.0.0.1:5432',
    )
  })
})

describe('AcquireTimeoutError', () => {
  test('given all connections are in use, says for how long, and where to look', () => {
    const error = new AcquireTimeoutError(10_000.4, calm)

    expect(error.message).toBe(
      'timeout exceeded when trying to connect. No connection from pool "orders" within 10000 ms: 10 of 10 active (the oldest lease out for 8123 ms, quiet for 8000 ms), 0 idle, 3 waiting. ' +
        'All connections are in use: look for slow queries, for work inside transactions that could be done outside, and for connections that are never released.',
    )
    expect(error).toMatchObject({
      name: 'AcquireTimeoutError',
      code: 'POOLGUARD_ACQUIRE_TIMEOUT',
      waitedMillis: 10_000.4,
    })
    expect(error.cause).toBeUndefined()
  })

  test('given the server is full, repeats its message, and says how to need fewer connections', () => {
    const pool: PoolState = { ...calm, active: 2, total: 3, connecting: 1, trouble: { failure: 'full', error: full } }
    const error = new AcquireTimeoutError(500, pool)

    expect(error.message).toBe(
      'timeout exceeded when trying to connect. No connection from pool "orders" within 500 ms: 2 of 10 active (the oldest lease out for 8123 ms, quiet for 8000 ms), 0 idle, 1 connecting, 3 waiting. ' +
        'The server has no connection left (sorry, too many clients already): let the instances share the connections (option fleet), run fewer instances, or put PgBouncer in front.',
    )
    expect(error.cause).toBe(full)
  })

  test('given the server cannot be reached, says so', () => {
    const pool: PoolState = {
      ...calm,
      active: 0,
      total: 0,
      oldestLeases: [],
      trouble: { failure: 'unavailable', error: unreachable },
    }

    expect(new AcquireTimeoutError(500, pool).message).toBe(
      'timeout exceeded when trying to connect. No connection from pool "orders" within 500 ms: 0 of 10 active, 0 idle, 3 waiting. ' +
        'No connection can be opened at the moment (connect ECONNREFUSED 10.0.0.5:5432).',
    )
  })

  test('given none of these causes, says that the server is slow', () => {
    const pool: PoolState = { ...calm, active: 0, connecting: 4, oldestLeases: [] }

    expect(new AcquireTimeoutError(500, pool).message).toMatch(/slow to answer\.$/)
  })
})

test('PoolSaturatedError says how many callers wait, how many may wait, and what to do', () => {
  const error = new PoolSaturatedError({ ...calm, active: 4, waiting: 1_006 }, 1_000)

  expect(error.message).toBe(
    'Pool "orders" is saturated: 4 of 10 active (the oldest lease out for 8123 ms, quiet for 8000 ms), 0 idle, 1006 waiting; maxWaiters is 1000. ' +
      'Shed load (answer 503), or find the code that holds connections for too long.',
  )
  expect(error.code).toBe('POOLGUARD_SATURATED')
})

test('PoolClosedError names the pool', () => {
  const error = new PoolClosedError('orders')

  expect(error.message).toBe('Pool "orders" has been closed. Close the pool after its last use, or create a new one.')
  expect(error.code).toBe('POOLGUARD_CLOSED')
})

describe('ConnectError', () => {
  const cause = Object.assign(new Error('database "x" does not exist'), {
    ...{ code: '3D000', severity: 'FATAL', detail: 'why', hint: 'what', routine: 'InitPostgres', errno: 7 },
    ...{ name: 'error', pool: 'not ours' },
  })

  test('has the code, the fields and the message of its cause', () => {
    const error = new ConnectError('orders', cause)

    expect(error.message).toBe('database "x" does not exist')
    expect(error).toMatchObject({ ...cause, name: 'ConnectError', pool: 'orders' })
    expect(error.cause).toBe(cause)
    expect(error.stack).toMatch(/^ConnectError: database "x" does not exist\n/)
  })

  test('given advice, then the advice follows the message', () => {
    expect(new ConnectError('orders', cause, 'Create it').message).toBe('database "x" does not exist. Create it.')
  })

  test.each([
    [new RangeError(''), 'RangeError'],
    ['a text', 'a text'],
    [undefined, 'undefined'],
  ])('given %o, which has no code, then its code is POOLGUARD_CONNECT', (thrown, message) => {
    const error = new ConnectError('orders', thrown)

    expect(error).toMatchObject({ code: 'POOLGUARD_CONNECT', message, cause: thrown })
  })
})
