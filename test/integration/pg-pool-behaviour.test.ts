import { EventEmitter, once } from 'node:events'
import { GuardedPool, type GuardedPoolConfig } from '@poolguard/pg'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { type PostgresServer, startPostgres } from '../harness/index.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres()
})
afterAll(() => server.stop())

/** What pg.Pool does is the yardstick: each test runs on both. */
const CLASSES = { 'pg.Pool': pg.Pool, GuardedPool } as const

const pools: pg.Pool[] = []
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => (pool.ending ? undefined : pool.end())))
})

type Options = pg.PoolConfig & { poolSize?: number; onConnect?: (client: pg.PoolClient) => unknown }

describe.each(Object.entries(CLASSES))('given %s', (_, PoolClass) => {
  function makePool(config: Options = {}): pg.Pool {
    const pool = new PoolClass({ connectionString: server.url, ...config } as pg.PoolConfig)
    pools.push(pool)
    // Nothing that a test does to a connection ends the process.
    pool.on('error', () => {})
    return pool
  }

  const countsOf = ({ totalCount, idleCount, waitingCount }: pg.Pool) => [totalCount, idleCount, waitingCount]

  test('when queries run, then listeners of each event see the counters of that moment', async () => {
    const pool = makePool({ max: 1 })
    const seen: [string, ...number[]][] = []
    for (const event of ['connect', 'acquire', 'release', 'remove'] as const) {
      pool.on(event, () => seen.push([event, ...countsOf(pool)]))
    }
    const answer = pool.query('select 1')
    expect(countsOf(pool)).toEqual([1, 0, 0])
    await answer
    await expect.poll(() => countsOf(pool)).toEqual([1, 1, 0])
    const client = await pool.connect()
    client.release(true)
    expect(countsOf(pool)).toEqual([0, 0, 0])
    await expect.poll(() => seen).toHaveLength(6)
    expect(seen).toEqual([
      ['connect', 1, 0, 0],
      ['acquire', 1, 0, 0],
      ['release', 1, 0, 0],
      ['acquire', 1, 0, 0],
      ['release', 1, 0, 0],
      ['remove', 0, 0, 0],
    ])
  })

  test.each<[how: string, options: Options, remove: (pool: pg.Pool) => Promise<unknown>]>([
    ['is idle for too long', { idleTimeoutMillis: 1 }, async () => {}],
    ['is ended with its pool', {}, (pool) => pool.end()],
    ['was used often enough', { maxUses: 1 }, async () => {}],
    [
      'is terminated by the server',
      {},
      () => server.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'removed'"),
    ],
  ])('when a connection %s, then listeners of "remove" no longer see it counted', async (_how, options, remove) => {
    const pool = makePool({ application_name: 'removed', ...options })
    const removed = new Promise((resolve) => pool.on('remove', () => resolve(countsOf(pool))))
    await pool.query('select 1')
    await remove(pool)
    expect(await removed).toEqual([0, 0, 0])
  })

  test('when all connections are taken, then callers beyond them are the ones that wait', async () => {
    const pool = makePool({ max: 2 })
    const answers = Array.from({ length: 5 }, () => pool.query('select pg_sleep(0.05)'))
    expect(pool.waitingCount).toBe(3)
    await Promise.all(answers)
    expect(pool.waitingCount).toBe(0)
  })

  test('when poolSize is given, then it is max', async () => {
    const pool = makePool({ poolSize: 2 })
    await Promise.all(Array.from({ length: 10 }, () => pool.query('select pg_sleep(0.01)')))
    expect(pool.totalCount).toBe(2)
  })

  test('when an idle connection is lost, then the error has its client', async () => {
    const pool = makePool({ max: 1 })
    const client = await pool.connect()
    client.release()
    const lost = once(pool, 'error')
    client.emit('error', new Error('on purpose'))
    const [error, second] = await lost
    expect(error).toMatchObject({ message: 'on purpose' })
    expect(error.client).toBe(second)
    expect(error.client.processID).toBe((client as pg.PoolClient & { processID: number }).processID)
    expect(pool.totalCount).toBe(0)
  })

  test.each<[hook: string, options: (error: Error) => Options]>([
    ['onConnect throws', (error) => ({ onConnect: () => fail(error) })],
    ['onConnect rejects', (error) => ({ onConnect: () => Promise.reject(error) })],
    ['verify fails', (error) => ({ verify: (_client, done) => done(error) })],
  ])('when %s, then the caller gets that very error, and the next one has another chance', async (_hook, options) => {
    const error = Object.assign(new Error('not today'), { code: 'APP' })
    let calls = 0
    const given = options(error)
    const once = <T extends unknown[]>(
      hook: ((...args: T) => unknown) | undefined,
      otherwise: (...args: T) => unknown,
    ) => hook && ((...args: T) => (calls++ === 0 ? hook(...args) : otherwise(...args)))
    const pool = makePool({
      max: 1,
      ...(given.onConnect && { onConnect: once(given.onConnect, () => undefined) as never }),
      ...(given.verify && { verify: once(given.verify, (_client, done) => done()) as never }),
    })
    const failing = pool.query('select 1')
    const next = pool.query('select 2 as two')
    await expect(failing).rejects.toBe(error)
    expect([error.message, error.code]).toEqual(['not today', 'APP'])
    expect((await next).rows).toEqual([{ two: 2 }])
  })

  test('when onConnect queries with an error of SQL, then the caller gets that of the server', async () => {
    const pool = makePool({ onConnect: (client) => client.query('select nonsense') })
    await expect(pool.connect()).rejects.toMatchObject({ code: '42703', message: 'column "nonsense" does not exist' })
    expect(pool.totalCount).toBe(0)
  })

  test('when a class of clients takes nothing but a callback, then it is called as pg-pool calls it', async () => {
    class CallbackClient extends pg.Client {
      override connect(done?: unknown): never {
        if (!done) throw new TypeError('connect takes a callback')
        return super.connect(done as () => void) as never
      }
      override end(done?: unknown): never {
        if (!done) throw new TypeError('end takes a callback')
        return super.end(done as () => void) as never
      }
    }
    const pool = makePool({ Client: CallbackClient as never })
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await pool.end()
  })

  test('when a class of promises is given, then connect and query return those', async () => {
    class AppPromise<T> extends Promise<T> {}
    const pool = makePool({ Promise: AppPromise as PromiseConstructor })
    const connecting = pool.connect()
    expect(connecting).toBeInstanceOf(AppPromise)
    const client = await connecting
    client.release()
    const querying = pool.query('select 1')
    expect(querying).toBeInstanceOf(AppPromise)
    await querying
    const ending = pool.end()
    expect(ending).toBeInstanceOf(AppPromise)
    await ending
  })

  test('when log is given, then it is called with what happens to connections', async () => {
    const messages: unknown[] = []
    const pool = makePool({ maxUses: 1, log: (message: unknown) => messages.push(message) })
    const client = await pool.connect()
    client.release()
    expect(messages).toEqual(
      expect.arrayContaining(['connecting new client', 'new client connected', 'remove expended client']),
    )
  })

  test('when maxUses is given, then each connection serves as many checkouts', async () => {
    const pool = makePool({ max: 2, maxUses: 2 })
    const pids: number[] = []
    for (let i = 0; i < 6; i++) pids.push((await pool.query('select pg_backend_pid() as pid')).rows[0].pid)
    expect(pids.map((pid) => pids.indexOf(pid))).toEqual([0, 0, 2, 2, 4, 4])
  })

  test('when a listener of "remove" throws, then that is uncaught, and the pool goes on', async () => {
    const pool = makePool({ maxUses: 1 })
    const uncaught = catchUncaught()
    pool.on('remove', () => fail(new Error('from the listener')))
    await pool.query('select 1')
    await expect.poll(() => uncaught.messages).toEqual(['from the listener'])
    expect((await pool.query('select 1')).rows).toHaveLength(1)
    await expect.poll(() => uncaught.messages).toHaveLength(2)
    uncaught.stop()
  })
})

describe('given GuardedPool, where pg.Pool loses the client', () => {
  test.each(['connect', 'acquire'] as const)(
    'when a listener of "%s" throws, then the caller gets that very error',
    async (event) => {
      const pool = new GuardedPool({ url: server.url, max: 1 })
      const error = new Error('from the listener')
      pool.once(event, () => fail(error))
      await expect(pool.query('select 1')).rejects.toBe(error)
      expect((await pool.query('select 1')).rows).toHaveLength(1)
      await pool.end()
    },
  )

  test('when a listener of "release" throws, then that is uncaught, and the query is answered', async () => {
    const pool = new GuardedPool({ url: server.url, max: 1 })
    const uncaught = catchUncaught()
    pool.once('release', () => fail(new Error('from the listener')))
    expect((await pool.query('select 1')).rows).toHaveLength(1)
    await expect.poll(() => uncaught.messages).toEqual(['from the listener'])
    expect((await pool.query('select 1')).rows).toHaveLength(1)
    uncaught.stop()
    await pool.end()
  })

  test('when connections are kept open and the hook fails, then attempts to open them pause', async () => {
    const onConnect = vi.fn(() => Promise.reject(new Error('not today')))
    const failures: unknown[] = []
    const pool = new GuardedPool({
      url: server.url,
      min: 1,
      onConnect,
      onEvent: (event) => event.type === 'connect-failed' && failures.push(event.retryInMillis),
    } as GuardedPoolConfig)
    await expect.poll(() => failures.length).toBeGreaterThan(2)
    expect(failures).not.toContain(null)
    await pool.end()
  })

  test('when clients have no wire to read, then that is said once they have connected', async () => {
    class NativeClient extends EventEmitter {
      connect(done: () => void): void {
        process.nextTick(done)
      }
      end(done: () => void): void {
        process.nextTick(done)
      }
    }
    const pool = new GuardedPool({ url: server.url, Client: NativeClient as never, connectionTimeoutMillis: 500 })
    await expect(pool.connect()).rejects.toThrow('pg.native is not supported')
    await pool.end()
  })
})

function fail(error: Error): never {
  throw error
}

/** Errors that would end the process. */
function catchUncaught(): { readonly messages: string[]; stop(): void } {
  const messages: string[] = []
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', ({ message }) => messages.push(message))
  return {
    messages,
    stop() {
      process.removeAllListeners('uncaughtException')
      for (const each of others) process.on('uncaughtException', each)
    },
  }
}
