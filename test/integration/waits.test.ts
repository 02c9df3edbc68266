import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { AcquireTimeoutError, PoolClosedError, type PoolSettings } from '@poolguard/core'
import { GuardedPool } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import { SqlitePool } from '@poolguard/sqlite'
import FakeTimers from '@sinonjs/fake-timers'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../harness/index.ts'

let server: PostgresServer
let folder: string
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 50 })
  folder = await mkdtemp(join(tmpdir(), 'poolguard-waits-'))
})
afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true, force: true })
})

/** What every pool can do, whatever its driver. */
interface AnyPool {
  query(): Promise<unknown>
  /** Runs for about so long. */
  sleep(millis: number): Promise<unknown>
  /** Has the only connection of a pool until it is called. */
  hold(): Promise<() => void>
  ready(): Promise<unknown>
  end(): Promise<unknown>
}

const made: AnyPool[] = []
afterEach(async () => {
  await Promise.all(made.splice(0).map((pool) => pool.end()))
})

const DRIVERS: Record<string, (settings: Partial<PoolSettings>) => AnyPool> = {
  pg: (settings) => {
    const pool = new GuardedPool({ url: server.url, pool: settings, onEvent: () => {} })
    return {
      query: () => pool.query('select 1'),
      sleep: (millis) => pool.query('select pg_sleep($1)', [millis / 1_000]),
      hold: async () => {
        const client = await pool.connect()
        return () => client.release()
      },
      ready: () => pool.ready(),
      end: async () => pool.ending || (await pool.end()),
    }
  },
  'postgres-js': (settings) => {
    const sql = guardPostgres(server.url, { pool: settings, onEvent: () => {} })
    return {
      query: () => sql`select 1`.execute(),
      sleep: (millis) => sql`select pg_sleep(${millis / 1_000})`.execute(),
      hold: async () => {
        const reserved = await sql.reserve()
        return () => reserved.release()
      },
      ready: () => sql.ready(),
      end: () => sql.end(),
    }
  },
  sqlite: (settings) => {
    const pool = new SqlitePool({ file: join(folder, 'waits.db'), pool: settings, onEvent: () => {} })
    const long =
      'with recursive n(i) as (select 1 union all select i + 1 from n where i < :many) select max(i) as most from n'
    return {
      query: () => pool.query('select 1'),
      sleep: (millis) => pool.query(long, { many: millis * 1_000 }),
      hold: async () => {
        const rows = pool.iterate('select 1 union all select 2')
        await rows.next()
        return () => void rows.return()
      },
      ready: () => pool.ready(),
      end: () => pool.close(),
    }
  },
}

const HOUR_MILLIS = 3_600_000
const { setInterval: realInterval, clearInterval } = globalThis

/** On a busy machine a connection may take longer to open than a caller waits here. */
const WARM = { timeout: 20_000 }
const ALL_SERVED = [1, 2, 3].map(() => expect.objectContaining({ status: 'fulfilled' }))

function blockEventLoop(millis: number): void {
  const until = performance.now() + millis
  while (performance.now() < until);
}

/** On a busy machine the answer may still be on its way when the shortest block is over, so longer ones are tried, too. */
async function survivesABlock(attempt: (block: () => void) => Promise<unknown>): Promise<void> {
  let failure: unknown
  for (const millis of [1_500, 3_000, 6_000]) {
    try {
      await attempt(() => blockEventLoop(millis))
      return
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

describe.each(Object.keys(DRIVERS))('%s', (driver) => {
  function make(settings: Partial<PoolSettings>): AnyPool {
    const pool = (DRIVERS[driver] as (typeof DRIVERS)[string])(settings)
    made.push(pool)
    return pool
  }

  describe('given an event loop that is blocked for longer than acquireTimeoutMillis', () => {
    test('then callers are served by connections that were idle and are validated', async () => {
      const pool = make({ max: 3, acquireTimeoutMillis: 1_000, validateAfterIdleMillis: 0 })
      await expect.poll(() => Promise.allSettled([1, 2, 3].map(() => pool.sleep(50))), WARM).toEqual(ALL_SERVED)
      for (let round = 0; round < 2; round++) {
        await survivesABlock(async (block) => {
          await new Promise((resolve) => setTimeout(resolve, 10))
          const callers = [1, 2, 3, 4, 5].map(() => pool.query())
          await turn()
          block()
          await Promise.all(callers)
        })
      }
    })

    test('then callers are served by connections whose answers have come meanwhile', async () => {
      const pool = make({ max: 1, acquireTimeoutMillis: 1_000 })
      await expect.poll(() => pool.query().then(Boolean, () => false), WARM).toBe(true)
      await survivesABlock(async (block) => {
        const callers = [pool.sleep(100), pool.query(), pool.query()]
        await turn()
        await turn()
        block()
        await Promise.all(callers)
      })
    })

    test('then callers are served by a connection that is being opened', async () => {
      await survivesABlock(async (block) => {
        const pool = make({ max: 1, acquireTimeoutMillis: 1_000, connectTimeoutMillis: 900 })
        const caller = pool.query()
        await turn()
        block()
        await caller
      })
    })

    test('then the error of a caller that is not served names the delay', async () => {
      const pool = make({ max: 1, acquireTimeoutMillis: 1_000 })
      await expect.poll(() => pool.query().then(Boolean, () => false), WARM).toBe(true)
      const release = await pool.hold()
      const caller = pool.query()
      const error = caller.then(
        () => undefined,
        (reason: Error) => reason,
      )
      await turn()
      blockEventLoop(1_500)
      expect(await error).toBeInstanceOf(AcquireTimeoutError)
      expect((await error)?.message).toMatch(/event loop of this process was blocked for \d{3,} ms/)
      release()
    })
  })

  describe('given callers that waited before the end', () => {
    test('then they are served on a cold pool, and later ones are rejected', async () => {
      const pool = make({ max: 3 })
      const callers = Array.from({ length: 20 }, () => pool.query())
      const ended = pool.end()
      await expect(pool.query()).rejects.toBeInstanceOf(PoolClosedError)
      await Promise.all(callers)
      await ended
    })

    test('then they are served when a busy connection comes free', async () => {
      const pool = make({ max: 1 })
      await pool.ready()
      const callers = [pool.sleep(200), pool.query(), pool.query()]
      const ended = pool.end()
      await Promise.all(callers)
      await ended
    })

    test('then they are rejected when the time for the drain is over', async () => {
      const pool = make({ max: 1, drainMillis: 100 })
      await pool.hold()
      const caller = pool.query()
      const rejected = expect(caller).rejects.toBeInstanceOf(PoolClosedError)
      await pool.end()
      await rejected
    })
  })

  // postgres.js itself connects with a timer, so that it never does while time stands still.
  test.skipIf(driver === 'postgres-js')('fake timers that stand still do no harm', async () => {
    using _clock = installFakeTimers()
    const pool = make({ max: 1 })
    await pool.query()
    const release = await pool.hold()
    const waiting = pool.query()
    release()
    await waiting
    await pool.end()
  })

  test('fake timers that jump do no harm, whatever is under way', async () => {
    using clock = installFakeTimers()
    const jumping = realInterval(() => clock.tick(HOUR_MILLIS), 1)
    try {
      const pool = make({ max: 1 })
      const callers = [pool.query(), pool.query()]
      clock.tick(HOUR_MILLIS)
      await Promise.all(callers)
      const release = await pool.hold()
      const waiting = pool.query()
      await pool.ready()
      release()
      await waiting
      await pool.end()
    } finally {
      clearInterval(jumping)
    }
  })
})

function installFakeTimers() {
  const clock = FakeTimers.install({
    toFake: [
      ...(['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate'] as const),
      ...(['Date', 'performance', 'hrtime'] as const),
    ],
  })
  return Object.assign(clock, { [Symbol.dispose]: () => clock.uninstall() })
}
