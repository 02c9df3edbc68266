import { describe, expect, test } from 'vitest'
import { EVICTION_RULES } from './eviction-rules.ts'
import { SessionHealth, SharedHealth } from './session-health.ts'

function failure(code: string, message = 'why', severity = 'ERROR'): Error {
  return Object.assign(new Error(message), { code, severity })
}

/** As a session answers that is what a fresh one would be. */
const FRESH = 'false,off,default,false'

/** A pool's connections on a clock of their own. */
class Given {
  now = 0
  /** How often a session was asked. */
  asked = 0
  answer: string | null = FRESH
  readonly shared = new SharedHealth()

  open(): SessionHealth {
    return new SessionHealth(this.shared, this.now)
  }

  /** A round with an error, as of a query outside of a transaction. */
  fail(health: SessionHealth, error: Error, times = 1): void {
    for (let i = 0; i < times; i++) {
      health.failed(error)
      health.ready(false)
    }
  }

  /** Whether it is evicted when it is released. */
  async release(health: SessionHealth): Promise<boolean> {
    if (health.isFine) return false
    return await health.isSick(async () => {
      this.asked++
      if (this.answer === null) throw new Error('canceling statement due to statement timeout')
      return this.answer
    }, this.now)
  }
}

describe('an error that proves a connection unfit', () => {
  test.each(EVICTION_RULES.filter(({ verdict }) => verdict === 'evict').map(({ code }) => [code]))(
    '%s costs it at once, and without a question',
    async (code) => {
      const given = new Given()
      const health = given.open()
      given.fail(health, failure(code, 'cache lookup failed for type 16385'))

      expect([await given.release(health), given.asked]).toEqual([true, 0])
    },
  )

  test('a FATAL one of whatever code does', async () => {
    const given = new Given()
    const health = given.open()
    given.fail(health, failure('08P01', 'query_wait_timeout', 'FATAL'))

    expect(await given.release(health)).toBe(true)
  })

  test('a lost statement of the app does, however often', async () => {
    const given = new Given()
    for (let i = 0; i < 5; i++) {
      const health = given.open()
      health.failed(failure('26000'), true)
      health.ready(false)
      expect(await given.release(health)).toBe(true)
    }
  })

  test('success does not make up for it', async () => {
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
    ['a role that may not write', 'false,on,user,false', false],
    ['a connection string that says so', 'false,on,client,false', false],
    ["a read-only transaction of the app's own", 'false,off,default,false', false],
  ])('on %s', async (_what, answer, evicted) => {
    const given = new Given()
    given.answer = answer
    const health = given.open()
    given.fail(health, failure('25006'))

    expect([await given.release(health), given.asked]).toEqual([evicted, 1])
  })

  test('given that fresh connections fail alike, then few are evicted, and more and more seldom', async () => {
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

  test('given another failover later, then each connection fails once again', async () => {
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
  ])('%s is never asked about, however often', async (code, message) => {
    const given = new Given()
    const [health, other] = [given.open(), given.open()]
    for (let i = 0; i < 50; i++) {
      given.fail(health, failure(code, message))
      other.ready(false)
      expect(await given.release(health)).toBe(false)
    }
    expect(given.asked).toBe(0)
  })

  test.each([['42P01'], ['42703'], ['42501'], ['57014'], ['0A000'], ['XX000']])(
    '%s of the same query for ever does not cost a connection, and is asked about seldom',
    async (code) => {
      const given = new Given()
      const health = given.open()
      for (let i = 0; i < 100; i++) {
        given.fail(health, failure(code))
        expect(await given.release(health)).toBe(false)
      }
      expect(given.asked).toBeLessThan(7)
    },
  )

  test('an error of the driver, or of an aborted transaction, says nothing', async () => {
    const given = new Given()
    const health = given.open()
    given.fail(health, new Error('Query read timeout'), 20)
    given.fail(health, failure('25P02'), 20)

    expect([await given.release(health), given.asked]).toEqual([false, 0])
  })
})

describe('query after query that fails with the same error', () => {
  test('given a session whose settings were changed, then it costs the connection', async () => {
    const given = new Given()
    given.answer = 'false,off,default,true'
    const health = given.open()
    given.fail(health, failure('42P01'), 2)
    expect(await given.release(health)).toBe(false)
    given.fail(health, failure('42P01'))

    expect(await given.release(health)).toBe(true)
  })

  test('given a session that cannot even answer the question, then it costs the connection', async () => {
    const given = new Given()
    given.answer = null
    const health = given.open()
    given.fail(health, failure('57014'), 3)

    expect(await given.release(health)).toBe(true)
  })

  test('given that other connections succeed, then it costs the connection, though nothing else speaks for it', async () => {
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

  test('given a success between them, then they do not follow each other; begin and rollback are none', async () => {
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

  test('given hooks that change every session, then fresh connections that fail alike are kept', async () => {
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
