import { describe, expect, test } from 'vitest'
import { runInLane, runWithLabel } from '../../pool/index.ts'
import type { InsightFinding } from './findings.ts'
import { givenMeteredPool } from './testing/metered-pool.ts'

function only(findings: readonly InsightFinding[] | undefined): InsightFinding {
  expect(findings).toHaveLength(1)
  return findings?.[0] as InsightFinding
}

describe('the time of a lease', () => {
  test('is split into statements, open transactions, unused time and own CPU', async () => {
    const { insight, clock, use, block } = givenMeteredPool()
    await use(async (connection) => {
      await clock.advance(10)
      await connection.query('begin', 5)
      await clock.advance(20)
      await connection.query('insert into orders values ($1)', 30)
      block(200)
      await connection.query('commit', 5)
      await clock.advance(15)
    })

    const { ownCpuMillis, ...rest } = insight.read().times
    // The delay is known to 10 ms, the interval of its timer.
    expect(ownCpuMillis).toBeGreaterThanOrEqual(190)
    expect(rest).toEqual({ statementMillis: 40, idleInTransactionMillis: 20 + 200 - ownCpuMillis, idleMillis: 25 })
    expect(insight.summary().times).toEqual(insight.read().times)
  })

  test('is a share of the capacity, by label and by statement', async () => {
    const { insight, clock, use } = givenMeteredPool(2)
    const request = (millis: number) => () => use((connection) => connection.query('select pg_sleep($1)', millis))
    await runWithLabel('GET /slow', request(300))
    await runWithLabel('GET /fast', request(100))
    await clock.advance(100)

    const { labels, statements, capacityShare, windowMillis } = insight.read()
    expect(windowMillis).toBe(500)
    expect(capacityShare).toBe(0.4)
    expect(labels).toMatchObject([
      { label: 'GET /slow', count: 1, totalMillis: 300, capacityShare: 0.3, usedShare: 0.75 },
      { label: 'GET /fast', count: 1, totalMillis: 100, capacityShare: 0.1, usedShare: 0.25 },
    ])
    expect(statements).toMatchObject([{ statement: 'select pg_sleep($1)', count: 2, totalMillis: 400 }])
  })

  test('is summed by lane, without leases that the pool does not count', async () => {
    const { insight, clock, use } = givenMeteredPool(2, { web: {}, jobs: { max: 1 } })
    await runInLane('web', () => use((connection) => connection.query('select 1', 100)))
    await runInLane('jobs', () =>
      use(async (connection) => {
        await connection.query('begin', 50)
        await clock.advance(150)
        await connection.query('commit', 100)
      }),
    )
    await use(async () => {})
    const lanes = [
      { lane: 'jobs', count: 1, totalMillis: 300, capacityShare: 0.375, usedShare: 0.75 },
      { lane: 'web', count: 1, totalMillis: 100, capacityShare: 0.125, usedShare: 0.25 },
    ]
    expect(insight.read().lanes).toMatchObject(lanes)
    expect(insight.read().lanes[0]?.times).toMatchObject({ statementMillis: 150, idleInTransactionMillis: 150 })

    await clock.advance(300_000)
    await runInLane('web', () => use((connection) => connection.query('select 1', 100)))
    expect(insight.read().lanes).toMatchObject([{ lane: 'jobs' }, { lane: 'web', count: 2, totalMillis: 200 }])
    await clock.advance(300_000)
    expect(insight.read().lanes).toMatchObject([{ lane: 'web', count: 1 }])
  })

  test('has no lanes in a pool without them', async () => {
    const { insight, use } = givenMeteredPool()
    await use((connection) => connection.query('select 1', 100))
    expect(insight.read()).toMatchObject({ labels: [{ count: 1 }], lanes: [] })
  })

  test('is forgotten after two windows, but not in the sums', async () => {
    const { insight, clock, use } = givenMeteredPool()
    const request = () => use((connection) => connection.query('select 1', 30))
    await runWithLabel('GET /once', request)
    await clock.advance(400_000)
    await runWithLabel('GET /later', request)
    expect(insight.read().labels.map(({ label }) => label)).toEqual(['GET /once', 'GET /later'])
    await clock.advance(300_000)
    expect(insight.read().labels.map(({ label }) => label)).toEqual(['GET /later'])
    await clock.advance(900_000)
    expect(insight.read().labels).toEqual([])

    expect(insight.summary().times.statementMillis).toBe(60)
    expect(insight.summary().timesByLabel['GET /once']?.statementMillis).toBe(30)
  })
})

describe('a finding', () => {
  test('names a transaction that waits for something else, and its longest gap', async () => {
    const { insight, clock, use } = givenMeteredPool()
    const checkout = () =>
      use(async (connection) => {
        await connection.query('begin')
        await connection.query("insert into orders values (17, 's3cret')", 28)
        await clock.advance(1_170)
        await connection.query('commit')
      })
    await runWithLabel('POST /checkout', checkout)

    const { kind, label, statement, text } = only(insight.read().findings)
    expect({ kind, label, statement }).toEqual({
      kind: 'idle-in-transaction',
      label: 'POST /checkout',
      statement: 'insert into orders values (?, ?)',
    })
    expect(text).toContain(
      "`POST /checkout` holds a connection for 1.2 s to run 30 ms of statements: 100 % of this pool's time.",
    )
    expect(text).toMatch(/Longest gap: 1\.2 s after `insert into orders values \(\?, \?\)`, until `commit`\./)
    expect(JSON.stringify(insight.read())).not.toContain('s3cret')
  })

  test('names a connection that is held outside a transaction', async () => {
    const { insight, clock, use } = givenMeteredPool()
    await runWithLabel('GET /report', () =>
      use(async (connection) => {
        await connection.query('select 1')
        await clock.advance(100)
      }),
    )

    const { kind, text } = only(insight.read().findings)
    expect(kind).toBe('held-without-statement')
    expect(text).toMatch(/after `select \?`, until the release\./)
  })

  test('names a connection without any statement', async () => {
    const { insight, clock, use } = givenMeteredPool()
    await runWithLabel('GET /forgotten', () => use(() => clock.advance(100)))

    expect(only(insight.read().findings)).toMatchObject({ kind: 'held-without-statement', label: 'GET /forgotten' })
  })

  test('names a connection that waits for the event loop', async () => {
    const { insight, use, block } = givenMeteredPool()
    await runWithLabel('GET /pdf', () =>
      use(async (connection) => {
        await connection.query('select 1')
        block(300)
        await connection.query('select 2')
      }),
    )

    const { kind, text } = only(insight.read().findings)
    expect(kind).toBe('event-loop')
    expect(text).toMatch(/The event loop of this process was busy for up to (29\d|300) ms after `select \?`/)
  })

  test.each([
    ['of one lease', false],
    ['of several leases', true],
  ])('names a statement that repeats in one request %s, whatever its literals are', async (_of, separately) => {
    const { insight, use } = givenMeteredPool()
    const ids = Array.from({ length: 12 }, (_, id) => id)
    await runWithLabel('GET /orders', async () => {
      if (separately)
        for (const id of ids) await use((connection) => connection.query(`select * from items where id = ${id}`))
      else
        await use(async (connection) => {
          for (const id of ids) await connection.query(`select * from items where id = ${id}`)
        })
    })

    const { kind, count, text } = only(insight.read().findings)
    expect({ kind, count }).toEqual({ kind: 'repeated-statement', count: 1 })
    expect(text).toContain('`GET /orders` runs `select * from items where id = ?` up to 12 times in one request')
  })

  test('reports no repetition over several requests, nor of the statements around transactions', async () => {
    const { insight, use } = givenMeteredPool()
    for (let request = 0; request < 30; request++) {
      await runWithLabel('GET /orders', () =>
        use(async (connection) => {
          for (const text of ['begin', 'select 1', 'commit']) await connection.query(text)
        }),
      )
    }
    await runWithLabel('POST /batches', async () => {
      for (let i = 0; i < 20; i++) {
        await use(async (connection) => {
          for (const text of ['begin', `select * from table_${i}`, 'commit']) await connection.query(text)
        })
      }
    })

    expect(insight.read().findings).toEqual([])
  })

  test('names a request that takes several connections at once, even if they have to wait', async () => {
    const { insight, use } = givenMeteredPool(2)
    await runWithLabel('GET /dashboard', () =>
      Promise.all([1, 2, 3, 4].map(() => use((connection) => connection.query('select 1', 5)))),
    )

    const { kind, text } = only(insight.read().findings)
    expect(kind).toBe('parallel-checkouts')
    expect(text).toContain('`GET /dashboard` takes 4 connections at once')
  })

  test('is not made of concurrent requests', async () => {
    const { insight, use } = givenMeteredPool()
    await Promise.all(
      [1, 2, 3, 4].map(() => runWithLabel('GET /', () => use((connection) => connection.query('select 1', 5)))),
    )

    expect(insight.read().findings).toEqual([])
  })

  test('is in the error of a caller that waited in vain, with its statements only in the stack', async () => {
    const { insight, pool, clock, use } = givenMeteredPool(1)
    const hold = () =>
      use(async (connection) => {
        await connection.query('select 1')
        await clock.advance(200)
      })
    await runWithLabel('GET /report', hold)
    const lease = await pool.acquire()
    const waiting = pool.acquire({ timeoutMillis: 50 }).catch((error: Error) => error)
    await clock.advance(60)
    const { message } = (await waiting) as Error
    lease.release()

    expect(message).toMatch(/run no statement for \d+ % of the time.* More connections would not help\./)
    expect(message).not.toContain('GET /report')
    expect(insight.waste()?.text).toContain('`GET /report` holds a connection')
  })
})

describe('the memory of an insight', () => {
  test('is bounded for labels and statements', async () => {
    const { insight, use, clock } = givenMeteredPool()
    for (let label = 0; label < 250; label++) {
      await runWithLabel(`GET /${label}`, () => use((connection) => connection.query('select 1', 0.1)))
    }
    await runWithLabel('GET /1', () =>
      use(async (connection) => {
        for (let i = 0; i < 700; i++) {
          await connection.query(`select c${i} from t`, 0.01)
          if (i % 300 === 0) await clock.advance(1_000)
        }
      }),
    )

    const { labels } = insight.read()
    expect(labels.length).toBeLessThanOrEqual(201)
    const most = Math.max(...labels.map(({ statements }) => statements.length))
    expect(most).toBeGreaterThan(400)
    expect(most).toBeLessThanOrEqual(501)
    expect(labels.find(({ label }) => label === 'other')?.count).toBe(50)
  })

  test('does not grow with texts that differ in every statement', async () => {
    const { insight, use } = givenMeteredPool()
    await use(async (connection) => {
      for (let i = 0; i < 3_000; i++) await connection.query(`select c${i} from t`, 0.01)
    })

    const { statements } = insight.read()
    expect(statements.length).toBeLessThanOrEqual(501)
    expect(statements.find(({ statement }) => statement === '(other statements)')?.count).toBeGreaterThan(2_400)
  })
})
