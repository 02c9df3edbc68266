import type { PoolEvent } from '@poolguard/core'
import { GuardedPool, type GuardedPoolConfig } from '@poolguard/pg'
import pg from 'pg'
import Cursor from 'pg-cursor'
import QueryStream from 'pg-query-stream'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../harness/index.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
  await server.query('create table written (id int); grant all on written to app')
})
afterAll(() => server.stop())

const pools: GuardedPool[] = []
const events: PoolEvent[] = []
function makePool(config: GuardedPoolConfig = {}): GuardedPool {
  const pool = new GuardedPool({ url: server.url, max: 1, onEvent: (event) => events.push(event), ...config })
  pools.push(pool)
  return pool
}
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.end()))
  events.length = 0
})

const lateQueries = () => events.filter((event) => event.type === 'query-after-release')

type Release = (destroy?: boolean) => void

/** The ways to release a client a second time. Each borrows, releases, and returns the second release. */
const EARLIER_BORROWERS: Record<string, (pool: pg.Pool) => Promise<Release>> = {
  'the property of the client': async (pool) => {
    const client = await pool.connect()
    await client.query('select 1')
    client.release()
    return (destroy) => client.release(destroy)
  },
  'the property of a client that was released by another function': async (pool) => {
    const client = await pool.connect()
    const { release } = client
    release()
    return (destroy) => client.release(destroy)
  },
  'a function that was kept': async (pool) => {
    const client = await pool.connect()
    const { release } = client
    client.release()
    return release
  },
  'the function given to the callback': (pool) =>
    new Promise((resolve, reject) => {
      pool.connect((error, _client, done) => {
        if (error) return reject(error)
        done()
        resolve(done)
      })
    }),
}

/** Who may have the connection by then. Each returns what it must be able to finish undisturbed. */
const NEXT_BORROWERS: Record<string, (pool: pg.Pool) => Promise<() => Promise<unknown>>> = {
  'a single query': async (pool) => {
    const running = pool.query('select pg_sleep(0.1), 7 as seven')
    return async () => expect((await running).rows).toMatchObject([{ seven: 7 }])
  },
  'a client': async (pool) => {
    const client = await pool.connect()
    return async () => {
      expect(pool.idleCount).toBe(0)
      expect((await client.query('select 7 as seven')).rows).toEqual([{ seven: 7 }])
      client.release()
    }
  },
  'a client that was given to a callback': (pool) =>
    new Promise((resolve, reject) => {
      pool.connect((error, client, done) => {
        if (error || !client) return reject(error)
        resolve(async () => {
          expect((await client.query('select 7 as seven')).rows).toEqual([{ seven: 7 }])
          done()
        })
      })
    }),
  'a transaction': async (pool) => {
    await server.query('truncate written')
    const client = await pool.connect()
    await client.query('begin')
    await client.query('insert into written values (1)')
    return async () => {
      await client.query('insert into written values (2)')
      expect((await client.query('commit')).command).toBe('COMMIT')
      expect(await server.query('select id from written order by id')).toEqual([{ id: 1 }, { id: 2 }])
      client.release()
    }
  },
}

describe.each(Object.entries(EARLIER_BORROWERS))('given an earlier borrower with %s', (_way, borrow) => {
  for (const [next, begin] of Object.entries(NEXT_BORROWERS)) {
    for (const destroy of [undefined, true]) {
      test(`when it ${destroy ? 'destroys' : 'releases'} again, then ${next} goes on`, async () => {
        const pool = makePool()
        for (const round of ['the first checkout of the connection', 'a later one']) {
          const release = await borrow(pool)
          const finish = await begin(pool)
          expect(() => release(destroy), round).toThrow(
            /^Release called on client which has already been released to the pool\. Pool "app": this checkout began \d+ ms ago/,
          )
          await finish()
          expect((await pool.query('select 8 as eight')).rows).toEqual([{ eight: 8 }])
        }
        expect(pool.snapshot()).toMatchObject({ dirtyReleases: 0, stats: { opened: 1 } })
      })
    }
  }
})

test('given a second release, then the error leads to the caller and to where the checkout was acquired', async () => {
  const pool = makePool({ pool: { captureStacks: 'always' } })
  const client = await (async function acquireHere() {
    return await pool.connect()
  })()
  client.release()
  const error = (function releaseAgain(): Error | undefined {
    try {
      client.release()
    } catch (caught) {
      return caught as Error
    }
    return undefined
  })()
  expect(error).toMatchObject({ code: 'POOLGUARD_ALREADY_RELEASED' })
  expect(error?.stack).toMatch(/releaseAgain[\s\S]*The checkout was acquired\n[^\n]*acquireHere/)
})

describe('a checked-out client is a client of pg', () => {
  /** The second checkout of a connection: the first one has pg's own client. */
  async function checkOutAgain(pool: pg.Pool): Promise<pg.PoolClient> {
    const first = await pool.connect()
    first.release()
    return await pool.connect()
  }

  test('by its class, its properties, and what is written to it', async () => {
    const pool = makePool()
    const shown: pg.PoolClient[] = []
    pool.on('connect', (client) => {
      Object.assign(client, { mark: 'set when it was connected' })
      shown.push(client)
    })
    const first = await pool.connect()
    expect(first).toBe(shown[0])
    first.release()
    const client = (await pool.connect()) as pg.PoolClient & { mark: string; processID: number }
    expect(client).toBeInstanceOf(pg.Client)
    expect(client.constructor).toBe(pg.Client)
    expect(client.mark).toBe('set when it was connected')
    expect(client.processID).toBe((first as typeof client).processID)
    expect(Object.hasOwn(client, 'release')).toBe(true)
    client.mark = 'written by a borrower'
    expect(first).toMatchObject({ mark: 'written by a borrower' })
    client.release()
  })

  test('for listeners, cursors, streams and every form of a query', async () => {
    const pool = makePool()
    const client = await checkOutAgain(pool)
    const heard = new Promise((resolve) => client.once('notification', ({ payload }) => resolve(payload)))
    await client.query('listen news')
    await client.query("notify news, 'hello'")
    expect(await heard).toBe('hello')
    await client.query('unlisten news')
    const listener = () => {}
    const before = client.listenerCount('error')
    client.on('error', listener).off('error', listener)
    expect(client.listenerCount('error')).toBe(before)

    const cursor = client.query(new Cursor('select generate_series(1, 5) as n'))
    expect(await cursor.read(2)).toEqual([{ n: 1 }, { n: 2 }])
    await cursor.close()
    const streamed: unknown[] = []
    for await (const row of client.query(new QueryStream('select generate_series(1, 3) as n'))) streamed.push(row)
    expect(streamed).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
    const byCallback = new Promise((resolve) => client.query('select 1 as one', (_error, { rows }) => resolve(rows)))
    expect(await byCallback).toEqual([{ one: 1 }])
    client.release()
  })

  test('on which the listeners that callers leave behind do not pile up', async () => {
    const pool = makePool({ max: 1 })
    const calls: string[] = []
    pool.on('connect', (client) => client.on('notice', () => calls.push('of the connect event')))
    const seen = new WeakSet<object>()
    for (let round = 1; round <= 20; round++) {
      const client = await pool.connect()
      const flags = client as pg.PoolClient & { isPrepared?: boolean }
      if (!flags.isPrepared) client.on('drain', () => calls.push('added once'))
      flags.isPrepared = true
      // As Prisma 8 does it.
      if (!seen.has(client)) client.on('notice', () => calls.push(`of round ${round}`))
      seen.add(client)
      const own = () => calls.push('taken back')
      client.on('drain', own).off('drain', own)
      client.release()
    }
    const client = await pool.connect()
    calls.length = 0
    await client.query("do $$ begin raise notice 'hello'; end $$")
    expect(calls.sort()).toEqual(['added once', 'of round 20', 'of the connect event'])
    client.release()
  })

  // https://node-postgres.com/guides/project-structure
  test('whose query and release can be wrapped for one checkout', async () => {
    const pool = makePool()
    const released: string[] = []
    const rounds = Array.from({ length: 20 }, (_, round) => `round ${round}`)
    for (const round of rounds) {
      const client = await pool.connect()
      const texts: unknown[] = []
      const { query, release } = client
      client.query = ((...args: Parameters<typeof query>) => {
        texts.push(args[0])
        return query.apply(client, args)
      }) as unknown as typeof query
      client.release = () => {
        client.query = query
        client.release = release
        released.push(round)
        return release.apply(client)
      }
      await client.query('select 1')
      expect(texts).toEqual(['select 1'])
      client.release()
      await pool.query('select 2')
      expect(texts).toEqual(['select 1'])
    }
    expect(released).toEqual(rounds)
    expect(lateQueries()).toEqual([])
    expect(events.filter((event) => event.type === 'warning')).toEqual([])
  })

  test('whose query can be wrapped for good where it is connected', async () => {
    const pool = makePool()
    const texts: unknown[] = []
    pool.on('connect', (client) => {
      const { query } = client
      client.query = ((...args: Parameters<typeof query>) => {
        texts.push(args[0])
        return query.apply(client, args)
      }) as unknown as typeof query
    })
    await pool.query('select 1')
    for (const text of ['select 2', 'select 3']) {
      const client = await pool.connect()
      await client.query(text)
      client.release()
    }
    await pool.query('select 4')
    expect(texts.filter((text) => /^select \d$/.test(String(text)))).toEqual([
      'select 1',
      'select 2',
      'select 3',
      'select 4',
    ])
    expect(lateQueries()).toEqual([])
  })
})

describe('given a Client class of the application', () => {
  class CountingClient extends pg.Client {
    #queries = 0
    declare release: () => void
    get queries(): number {
      return this.#queries
    }
    set queries(count: number) {
      this.#queries = count
    }
    count(text: string) {
      this.#queries++
      return this.query(text)
    }
    itself(): this {
      return this
    }
    async countOnce(text: string) {
      const result = await this.count(text)
      this.release()
      return result
    }
  }
  type Lent = CountingClient & pg.PoolClient

  test.each([true, false])(
    'then its private members can be used, with clientPerCheckout: %s',
    async (clientPerCheckout) => {
      const pool = makePool({ Client: CountingClient, clientPerCheckout })
      for (const round of [1, 2, 3]) {
        const client = (await pool.connect()) as Lent
        client.queries = 0
        expect((await client.count('select 1 as one')).rows).toEqual([{ one: 1 }])
        expect(client.queries, `round ${round}`).toBe(1)
        expect(client.count).toBe(client.count)
        expect(client.itself()).toBe(client)
        expect(client).toBeInstanceOf(CountingClient)
        await client.countOnce('select 2 as two')
        expect(pool.idleCount).toBe(1)
        expect(() => client.release()).toThrow(/already been released/)
      }
      expect(lateQueries()).toEqual([])
    },
  )
})

test('given a listener that releases the client it is called with, then that ends the checkout', async () => {
  const pool = makePool()
  for (const _round of [1, 2]) {
    const client = await pool.connect()
    const released = new Promise<void>((resolve) => {
      client.once('notification', function (this: pg.PoolClient) {
        this.release()
        resolve()
      })
    })
    await client.query('listen news')
    await client.query("notify news, 'hello'")
    await released
    expect(() => client.release()).toThrow(/already been released/)
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  }
})

describe('given code that marks clients by object', () => {
  /** As libraries do: each client is wrapped once, as far as they can tell. */
  function watchQueries(): { watch: (client: pg.PoolClient) => pg.PoolClient; texts: string[] } {
    const watched = new WeakSet<pg.PoolClient>()
    const texts: string[] = []
    const watch = (client: pg.PoolClient) => {
      if (watched.has(client)) return client
      watched.add(client)
      const { query } = client
      client.query = ((...args: Parameters<typeof query>) => {
        texts.push(String(args[0]))
        return query.apply(client, args)
      }) as unknown as typeof query
      return client
    }
    return { watch, texts }
  }

  test('when all checkouts share the client, then it finds its mark', async () => {
    const pool = makePool({ clientPerCheckout: false })
    const shown: pg.PoolClient[] = []
    pool.on('connect', (client) => shown.push(client))
    pool.on('acquire', (client) => shown.push(client))
    const { watch, texts } = watchQueries()
    for (const round of [1, 2, 3]) {
      const client = watch(await pool.connect())
      shown.push(client)
      await client.query(`select ${round}`)
      client.release()
    }
    expect(texts).toEqual(['select 1', 'select 2', 'select 3'])
    expect(new Set(shown).size).toBe(1)
  })

  test('when all checkouts share the client, then a kept function releases only its own checkout', async () => {
    const pool = makePool({ clientPerCheckout: false })
    const first = await pool.connect()
    const { release } = first
    release()
    const second = await pool.connect()
    expect(second).toBe(first)
    expect(() => release()).toThrow(/already been released/)
    expect(pool.idleCount).toBe(0)
    expect((await second.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    second.release()
    expect(pool.idleCount).toBe(1)
  })

  test('when each checkout has its own, then replacing query again and again is warned of once', async () => {
    const pool = makePool()
    const { watch } = watchQueries()
    for (let round = 0; round < 20; round++) {
      const client = watch(await pool.connect())
      await client.query('select 1')
      client.release()
    }
    const warnings = events.filter((event) => event.type === 'warning')
    expect(warnings).toMatchObject([{ message: expect.stringContaining('clientPerCheckout: false') }])
  })

  test('and anything but true and false is refused', () => {
    expect(() => makePool({ clientPerCheckout: 'no' as never })).toThrow(/clientPerCheckout.*true or false/)
  })
})

describe('given a query on a client that was released', () => {
  const FORMS: Record<string, (client: pg.PoolClient) => Promise<unknown>> = {
    'a promise': (client) => client.query('select 1 as one'),
    'a callback': (client) =>
      new Promise((resolve, reject) => {
        client.query('select 1 as one', (error, result) => (error ? reject(error) : resolve(result)))
      }),
    'a cursor': async (client) => {
      const cursor = client.query(new Cursor('select 1 as one'))
      const rows = await cursor.read(1)
      await cursor.close()
      return { rows }
    },
    'a configuration': (client) => client.query({ text: 'select $1::int as one', values: [1] }),
  }

  for (const [form, send] of Object.entries(FORMS)) {
    test(`as ${form}, then it is reported with its caller and runs; configured to, it is rejected`, async () => {
      for (const queryAfterRelease of ['report', 'reject'] as const) {
        const pool = makePool({ queryAfterRelease })
        await pool.ready()
        for (const _checkout of ['first', 'second']) {
          events.length = 0
          const client = await pool.connect()
          await client.query('select 1')
          client.release()
          const outcome = await (async function sendLate() {
            return await send(client)
          })().catch((error) => error)
          if (queryAfterRelease === 'reject') expect(outcome).toMatchObject({ code: 'POOLGUARD_QUERY_AFTER_RELEASE' })
          else expect(outcome).toMatchObject({ rows: [{ one: 1 }] })
          expect(lateQueries()).toMatchObject([
            { rejected: queryAfterRelease === 'reject', stack: expect.stringContaining('sendLate') },
          ])
          expect(lateQueries()[0]).toMatchObject({ stack: expect.stringMatching(/checkouts\.test\.ts:\d+:\d+/) })
        }
      }
    })
  }

  test('while another borrower is in a transaction, then rejecting keeps that apart', async () => {
    await server.query('truncate written')
    const pool = makePool({ queryAfterRelease: 'reject' })
    for (const id of [1, 2]) {
      const early = await pool.connect()
      early.release()
      const late = await pool.connect()
      await late.query('begin')
      await expect(early.query('insert into written values (-1)')).rejects.toThrow(
        /^Query on a client that has been released to the pool\. Pool "app": this checkout began/,
      )
      await late.query('insert into written values ($1)', [id])
      await late.query('commit')
      late.release()
    }
    expect(await server.query('select id from written order by id')).toEqual([{ id: 1 }, { id: 2 }])
  })

  test('and there is no event listener, then the process gets one warning', async () => {
    const pool = makePool({ onEvent: undefined } as unknown as GuardedPoolConfig)
    const warnings: Error[] = []
    const listener = (warning: Error) => warnings.push(warning)
    process.on('warning', listener)
    const client = await pool.connect()
    client.release()
    await client.query('select 1')
    await client.query('select 1')
    await expect.poll(() => warnings.length).toBeGreaterThan(0)
    process.off('warning', listener)
    expect(warnings).toMatchObject([
      { message: expect.stringMatching(/released to the pool[\s\S]*checkouts\.test\.ts:\d+/) },
    ])
  })

  test('by the pool itself or a listener of its events, then it is no fault', async () => {
    const pool = makePool({ queryAfterRelease: 'reject', resetOnRelease: 'discard' })
    for (const event of ['connect', 'acquire'] as const) {
      pool.on(event, (client: pg.PoolClient) => void client.query('select 1').catch(() => {}))
    }
    for (let round = 0; round < 3; round++) {
      const client = await pool.connect()
      await client.query('begin')
      client.release()
      expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    }
    await pool.ready({ refresh: true })
    expect(lateQueries()).toEqual([])
  })
})
