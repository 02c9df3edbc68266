import { describe, expect, test } from 'vitest'
import { EVICTION_RULES } from './eviction-rules.ts'
import { SessionHealth, SharedHealth } from './session-health.ts'

function failure(code: string, message = 'why', severity = 'ERROR'): Error {
  return Object.assign(new Error(message), { code, severity })
}

/** The state of a new session. */
const FRESH = 'false,off,default,false'

/** The connections of a pool, with their own clock. */
class Given {
  now = 0
  /** How often a session was checked. */
  checks = 0
  answer: string | null = FRESH
  readonly shared = new SharedHealth()

  open(): SessionHealth {
    return new SessionHealth(this.shared, this.now)
  }

  /** Failed query rounds outside of a transaction. */
  fail(health: SessionHealth, error: Error, times = 1): void {
    for (let i = 0; i < times; i++) {
      health.failed(error)
      health.ready(false)
    }
  }

  /** Releases the connection. Returns whether it is evicted. */
  async release(health: SessionHealth): Promise<boolean> {
    if (health.isFine) return false
    return await health.isSick(async () => {
      this.checks++
      if (this.answer === null) throw new Error('canceling statement due to statement timeout')
      return this.answer
    }, this.now)
  }
}

describe('an error that proves a connection invalid', () => {
  test.each(EVICTION_RULES.filter(({ verdict }) => verdict === 'evict').map(({ code }) => [code]))(
    '%s evicts it immediately, without a check',
    async (code) => {
      const given = new Given()
      const health = given.open()
      given.fail(health, failure(code, 'cache lookup failed for type 16385'))

      expect([await given.release(health), given.checks]).toEqual([true, 0])
    },
  )

  test('a FATAL error with any code evicts it', async () => {
    const given = new Given()
    const health = given.open()
    given.fail(health, failure('08P01', 'query_wait_timeout', 'FATAL'))

    expect(await given.release(health)).toBe(true)
  })

  test('a lost statement of the app evicts it, every time', async () => {
    const given = new Given()
    for (let i = 0; i < 5; i++) {
      const health = given.open()
      health.failed(failure('26000'), true)
      health.ready(false)
      expect(await given.release(health)).toBe(true)
    }
  })

  test('a later success does not prevent the eviction', async () => {
    const given = new Given()
    const health = given.open()
    given.fail(health, failure('53200'))
    health.ready(false)

    expect(await given.release(health)).toBe(true)
  })
})

describe('25006', () => {
  test.each([
    ['a standby', 'true,on,default,false', true],
    ['a server whose sessions are all read-only', 'false,on,configuration file,false', true],
    ['a session that the app has made read-only', 'false,on,session,true', true],
    ['a read-only role', 'false,on,user,false', false],
    ['a read-only connection string', 'false,on,client,false', false],
    ['a read-only transaction of the app', 'false,off,default,false', false],
  ])('on %s', async (_what, answer, evicted) => {
    const given = new Given()
    given.answer = answer
    const health = given.open()
    given.fail(health, failure('25006'))

    expect([await given.release(health), given.checks]).toEqual([evicted, 1])
  })

  test('given that new connections fail with the same error, then evictions become rare', async () => {
    const given = new Given()
    given.answer = 'true,on,default,false'
    let evicted = 0
    let health = given.open()
    for (given.now = 0; given.now < 3_600_000; given.now += 100) {
      given.fail(health, failure('25006'))
      if (!(await given.release(health))) continue
      evicted++
      health = given.open()
    }

    expect(evicted).toBeLessThan(40)
  })

  test('given a second failover, then each connection is evicted again', async () => {
    const given = new Given()
    given.answer = 'true,on,default,false'
    const before = [given.open(), given.open()]
    for (const health of before) given.fail(health, failure('25006'))
    expect(await Promise.all(before.map((health) => given.release(health)))).toEqual([true, true])
    const after = [given.open(), given.open()]
    given.now += 60_000
    for (const health of after) given.fail(health, failure('25006'))

    expect(await Promise.all(after.map((health) => given.release(health)))).toEqual([true, true])
  })
})

describe('an ordinary error', () => {
  test.each([
    ['23505', 'duplicate key value violates unique constraint'],
    ['22P02', 'invalid input syntax for type integer: "x"'],
    ['22012', 'division by zero'],
    ['42601', 'syntax error at or near "selec"'],
    ['40001', 'could not serialize access due to concurrent update'],
    ['40P01', 'deadlock detected'],
    ['P0001', 'raised by the app'],
  ])('%s never causes a check', async (code, message) => {
    const given = new Given()
    const [health, other] = [given.open(), given.open()]
    for (let i = 0; i < 50; i++) {
      given.fail(health, failure(code, message))
      other.ready(false)
      expect(await given.release(health)).toBe(false)
    }
    expect(given.checks).toBe(0)
  })

  test.each([['42P01'], ['42703'], ['42501'], ['57014'], ['0A000'], ['XX000']])(
    '%s on every query does not evict the connection, and causes few checks',
    async (code) => {
      const given = new Given()
      const health = given.open()
      for (let i = 0; i < 100; i++) {
        given.fail(health, failure(code))
        expect(await given.release(health)).toBe(false)
      }
      expect(given.checks).toBeLessThan(7)
    },
  )

  test('an error of the driver or of an aborted transaction does not count', async () => {
    const given = new Given()
    const health = given.open()
    given.fail(health, new Error('Query read timeout'), 20)
    given.fail(health, failure('25P02'), 20)

    expect([await given.release(health), given.checks]).toEqual([false, 0])
  })
})

describe('query after query that fails with the same error', () => {
  test('given a session with changed settings, then the connection is evicted', async () => {
    const given = new Given()
    given.answer = 'false,off,default,true'
    const health = given.open()
    given.fail(health, failure('42P01'), 2)
    expect(await given.release(health)).toBe(false)
    given.fail(health, failure('42P01'))

    expect(await given.release(health)).toBe(true)
  })

  test('given a session that cannot answer the check, then the connection is evicted', async () => {
    const given = new Given()
    given.answer = null
    const health = given.open()
    given.fail(health, failure('57014'), 3)

    expect(await given.release(health)).toBe(true)
  })

  test('given that other connections succeed, then the connection is evicted without further evidence', async () => {
    const given = new Given()
    const [health, other] = [given.open(), given.open()]
    let failures = 0
    do {
      given.fail(health, failure('42883'))
      other.ready(false)
      failures++
    } while (!(await given.release(health)))

    expect(failures).toBeLessThanOrEqual(12)
  })

  test('given a success in between, then the failures are not consecutive; BEGIN and ROLLBACK do not count as success', async () => {
    const given = new Given()
    given.answer = 'false,off,default,true'
    const [mixed, transactions] = [given.open(), given.open()]
    for (let i = 0; i < 10; i++) {
      given.fail(mixed, failure('42P01'))
      mixed.ready(false)
      transactions.ready(true)
      given.fail(transactions, failure('42P01'))
      transactions.ready(true)
    }

    expect([await given.release(mixed), await given.release(transactions)]).toEqual([false, true])
  })

  test('given hooks that change every session, then new connections with the same error are kept', async () => {
    const given = new Given()
    given.answer = 'false,off,default,true'
    let evicted = 0
    let health = given.open()
    for (; given.now < 60_000; given.now += 100) {
      given.fail(health, failure('42P01'))
      if (!(await given.release(health))) continue
      evicted++
      health = given.open()
    }

    expect(evicted).toBeLessThan(20)
  })
})
