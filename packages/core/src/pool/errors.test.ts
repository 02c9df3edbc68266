import { describe, expect, test } from 'vitest'
import {
  AcquireTimeoutError,
  AlreadyReleasedError,
  ConnectError,
  HookFailure,
  isOfHook,
  PoolClosedError,
  PoolSaturatedError,
  type PoolState,
  QueryAfterReleaseError,
} from './errors.ts'

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

  test.each<[what: string, state: Partial<PoolState>, advice: string]>([
    [
      'the server rejects the password',
      {
        trouble: { failure: 'permanent', error: new Error('password authentication failed'), advice: 'Set PGPASSWORD' },
      },
      '3 waiting. The server rejects new connections (password authentication failed). Set PGPASSWORD.',
    ],
    [
      'the server is full, with advice',
      { trouble: { failure: 'full', error: full, advice: 'Run poolguard doctor' } },
      'or put PgBouncer in front. Run poolguard doctor.',
    ],
    [
      'every holder waits for another connection',
      { deadlocked: true },
      '3 waiting. Every holder of a connection waits for another one: inside a transaction use its own handle (tx) for everything, or raise max to callers x (connections each needs - 1) + 1.',
    ],
    [
      'every holder waits for another connection below a limit',
      { deadlocked: true, limit: 5 },
      'for everything, or raise limit to callers x (connections each needs - 1) + 1.',
    ],
    [
      'other pools use up the budget',
      { active: 4, idle: 0, budget: { name: 'all', max: 20, used: 20, pools: 3 } },
      '3 waiting; budget "all": 20 of 20 connections used by 3 pools. The pools that share the budget "all" use all its 20 connections: look for slow queries and for connections that are never released in any of them, or raise its max.',
    ],
    [
      'the budget has connections left, but the pool has none',
      { budget: { name: 'all', max: 20, used: 12, pools: 3 } },
      '12 of 20 connections used by 3 pools. All connections are in use: look for slow queries, for work inside transactions that could be done outside, and for connections that are never released.',
    ],
    [
      'the connections are held without a statement',
      { waste: { unusedShare: 0.876, text: 'handler holds most of it' } },
      '3 waiting. All connections are in use, but run no statement for 88 % of the time: find the code that holds them (this error.stack and pool.insight() name it). More connections would not help.',
    ],
    [
      'connections were held without a statement, but some are free',
      { active: 9, waste: { unusedShare: 0.876, text: 'handler holds most of it' } },
      'The connections are still being opened or closed: the server is slow to answer.',
    ],
    [
      'the lane has its max',
      { active: 4, lane: { name: 'jobs', max: 4, active: 4, waiting: 2, limitedBy: 'max' } },
      '3 waiting; lane "jobs": 4 of 4 active, 2 waiting. Lane "jobs" uses all 4 connections that it may use: look for slow queries and for connections that are never released in it, or raise lanes.jobs.max.',
    ],
    [
      'all connections are in use, whatever the lane may have',
      { lane: { name: 'jobs', max: 10, active: 4, waiting: 2, limitedBy: null } },
      '4 of 10 active, 2 waiting. All connections are in use: look for slow queries, for work inside transactions that could be done outside, and for connections that are never released.',
    ],
    [
      'the callers of a lane wait for each other',
      { deadlocked: true, lane: { name: 'jobs', max: 10, active: 4, waiting: 2, limitedBy: 'reserves' } },
      'Every caller that could release a connection for lane "jobs" waits for another one: inside a transaction use its own handle (tx) for everything, or lower the reserves of the other lanes, so that there are callers x (connections each needs - 1) + 1.',
    ],
  ])('given %s, says so', (_what, state, advice) => {
    const { message } = new AcquireTimeoutError(500, { ...calm, ...state })
    expect(message.slice(-advice.length)).toBe(advice)
  })

  test('given the event loop was blocked for a tenth of the wait, says so before the rest', () => {
    expect(new AcquireTimeoutError(1_000, calm, 99).message).not.toContain('blocked')
    expect(new AcquireTimeoutError(1_000, calm, 100).message).toContain(
      'The event loop of this process was blocked for 100 ms of that time and could neither send nor read: find the slow synchronous work (node --cpu-prof), and move it to a worker thread. All connections are in use',
    )
    const idle = { ...calm, active: 0, oldestLeases: [] }
    expect(new AcquireTimeoutError(1_000, idle, 100).message).toMatch(/move it to a worker thread\.$/)
  })

  test('shows a running query, whose text only the stack has, and the stacks of the callers that hold connections', () => {
    const query = { text: 'select pg_sleep(?)', runningMillis: 400.4 }
    const lease = { label: null, heldMillis: 500, quietMillis: 450, query, stack: '    at handler (/app/a.ts:1:1)' }
    const unknown = { label: null, heldMillis: 100, quietMillis: 50, stack: null }
    const waste = { unusedShare: 0.9, text: 'handler holds most of it' }
    const { message, stack } = new AcquireTimeoutError(500, { ...calm, oldestLeases: [lease, unknown], waste })

    expect(message).toContain(
      '(the oldest lease out for 500 ms, quiet for 450 ms, waiting for the answer to a query for 400 ms)',
    )
    expect(message).not.toContain('pg_sleep')
    expect(stack?.split('\n').slice(-4)).toEqual([
      expect.stringMatching(/^ {4}at /),
      'A lease out for 500 ms, quiet for 450 ms, waiting for the answer to a query for 400 ms (select pg_sleep(?)) was borrowed',
      '    at handler (/app/a.ts:1:1)',
      'handler holds most of it',
    ])
  })

  test('repeats no more than 4,096 characters of a message, and has all of it as its cause', () => {
    const error = new Error('x'.repeat(10_000))
    const timeout = new AcquireTimeoutError(500, { ...calm, trouble: { failure: 'unavailable', error } })

    expect(timeout.message).toContain(`(${'x'.repeat(4_096)})`)
    expect(timeout.cause).toBe(error)
  })
})

describe('a checkout that is used after its release', () => {
  const ended = { acquiredMillisAgo: 250.4, releasedMillisAgo: 49.6, acquiredStack: '    at handler (/app/a.ts:1:1)' }

  test('released a second time: the error begins as that of the driver, and its stack shows both', () => {
    const error = new AlreadyReleasedError('Release called twice.', 'orders', ended)

    expect(error).toMatchObject({ name: 'AlreadyReleasedError', code: 'POOLGUARD_ALREADY_RELEASED' })
    expect(error.message).toBe(
      'Release called twice. Pool "orders": this checkout began 250 ms ago and ended 50 ms ago, so this call does nothing. ' +
        'Release each checkout once, in one finally block; the stack shows the second release.',
    )
    expect(error.stack).toMatch(/\n {4}at .*\nThe checkout was acquired\n {4}at handler \(\/app\/a\.ts:1:1\)$/s)
  })

  test('for a query: the error says that the connection may be in use by another caller', () => {
    const error = new QueryAfterReleaseError('orders', { ...ended, acquiredStack: null })

    expect(error).toMatchObject({ name: 'QueryAfterReleaseError', code: 'POOLGUARD_QUERY_AFTER_RELEASE' })
    expect(error.message).toBe(
      'Query on a client that has been released to the pool. Pool "orders": this checkout began 250 ms ago and ended 50 ms ago, and another caller may be using the connection now. ' +
        'Await every query before the release, and keep no reference to the client or the transaction after it.',
    )
    expect(error.stack).not.toContain('The checkout was acquired')
  })
})

test('an error that the code of the app threw on a new connection is known as such', () => {
  const [thrown, other] = [new Error('my hook'), new Error('of the server')]

  expect(new HookFailure(thrown).error).toBe(thrown)
  expect(new HookFailure('a text').error).toBe('a text')
  expect(new HookFailure(null).error).toBeNull()
  expect([thrown, other, 'a text', null, undefined].map(isOfHook)).toEqual([true, false, false, false, false])
})

test('PoolSaturatedError says how many callers wait, how many may wait, and what to do', () => {
  const error = new PoolSaturatedError({ ...calm, active: 4, waiting: 1_006 }, 1_000)

  expect(error.message).toBe(
    'Pool "orders" is saturated: 4 of 10 active (the oldest lease out for 8123 ms, quiet for 8000 ms), 0 idle, 1006 waiting; maxWaiters is 1000. ' +
      'Shed load (answer 503), or find the code that holds connections for too long.',
  )
  expect(error).toMatchObject({ name: 'PoolSaturatedError', code: 'POOLGUARD_SATURATED', retryAfterMillis: 1_000 })
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
