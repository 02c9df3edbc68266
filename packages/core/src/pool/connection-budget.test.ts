import { describe, expect, test } from 'vitest'
import { seededRandom } from '../fleet/testing/simulated-clock.ts'
import { ConnectionBudget } from './connection-budget.ts'
import type { Lease } from './lease.ts'
import { Pool } from './pool.ts'
import { DEFAULT_POOL_SETTINGS } from './pool-settings.ts'
import { ManualClock } from './testing/manual-clock.ts'

/** Connections of all pools. */
class Server {
  readonly clock = new ManualClock()
  open = 0
  most = 0
  /** How long the server takes to open and to close a connection. */
  latencyMillis = 0

  pool(name: string, budget: ConnectionBudget, max = 10): Pool<object> {
    const pause = () => new Promise<void>((resolve) => this.clock.after(this.latencyMillis, resolve))
    return new Pool<object>({
      ...{ name, budget, clock: this.clock, classify: () => 'unavailable' as const },
      settings: { ...DEFAULT_POOL_SETTINGS, max },
      factory: {
        open: async () => {
          this.open++
          this.most = Math.max(this.most, this.open)
          if (this.latencyMillis > 0) await pause()
          return {}
        },
        close: async () => {
          if (this.latencyMillis > 0) await pause()
          this.open--
        },
      },
    })
  }
}

describe('pools with one budget', () => {
  test('have no more connections together than its max: an idle one is closed for a caller of another pool', async () => {
    const server = new Server()
    const budget = new ConnectionBudget('tenants', 2)
    const [a, b, c] = ['a', 'b', 'c'].map((name) => server.pool(name, budget))
    ;(await a?.acquire())?.release()
    ;(await b?.acquire())?.release()
    ;(await c?.acquire())?.release()
    expect(server.most).toBe(2)
    expect(budget.used).toBe(2)
    // The one that was idle longest.
    expect([a, b, c].map((pool) => pool?.counts.idle)).toEqual([0, 1, 1])
  })

  test('serve the caller that has waited longest, whichever pool it waits for', async () => {
    const server = new Server()
    const budget = new ConnectionBudget('tenants', 1)
    const [a, b] = [server.pool('a', budget), server.pool('b', budget)]
    const first = await a.acquire()
    const order: string[] = []
    const wait = async (name: string, pool: Pool<object>) => {
      const lease = await pool.acquire()
      order.push(name)
      lease.release()
    }
    const waits = [wait('b', b)]
    await server.clock.advance(1)
    waits.push(wait('a', a))
    // Until then, the connection is kept for the callers of its own pool.
    await server.clock.advance(60)
    first.release()
    await server.clock.advance(100)
    await Promise.all(waits)
    expect(order).toEqual(['b', 'a'])
    expect(server.most).toBe(1)
  })

  test('keep a connection for their own callers for a moment, instead of opening one for each of many', async () => {
    const server = new Server()
    const budget = new ConnectionBudget('tenants', 1)
    const [a, b] = [server.pool('a', budget), server.pool('b', budget)]
    const first = await a.acquire()
    const waiting = b.acquire()
    const own = Array.from({ length: 5 }, () => a.acquire())
    first.release()
    for (const lease of own) (await lease).release()
    ;(await waiting).release()
    expect(a.stats().opened + b.stats().opened).toBe(2)
  })

  test('close no second connection while the first one that a caller needs is being closed', async () => {
    const server = new Server()
    const budget = new ConnectionBudget('tenants', 2)
    const [a, b] = [server.pool('a', budget), server.pool('b', budget)]
    const [kept, idle] = await Promise.all([a.acquire(), a.acquire()])
    idle.release()
    server.latencyMillis = 20
    const waiting = b.acquire()
    await server.clock.advance(1)
    kept.release()
    await server.clock.advance(100)

    expect((await waiting).active).toBe(true)
    expect(a.stats()).toMatchObject({ idle: 1, closed: 1 })
    expect(server.most).toBe(2)
  })

  test('need nothing for callers that their own max keeps waiting', async () => {
    const server = new Server()
    const budget = new ConnectionBudget('tenants', 3)
    const [full, other] = [server.pool('full', budget, 1), server.pool('other', budget)]
    await full.acquire()
    for (let i = 0; i < 5; i++) void full.acquire()
    await server.clock.advance(1)
    const leases = await Promise.all([other.acquire(), other.acquire()])

    expect(leases.map(({ active }) => active)).toEqual([true, true])
    expect(budget.used).toBe(3)
  })

  test('name the budget in the error of a caller that waits in vain', async () => {
    const server = new Server()
    const budget = new ConnectionBudget('tenants', 1)
    const [a, b] = [server.pool('a', budget), server.pool('b', budget)]
    await a.acquire()
    const waiting = b.acquire({ timeoutMillis: 100 }).catch((error: Error) => error.message)
    await server.clock.advance(200)
    expect(await waiting).toContain('budget "tenants": 1 of 1 connections used by 2 pools')
    expect(await waiting).toContain('use all its 1 connections')
  })

  test('follow a smaller and a larger max', async () => {
    const server = new Server()
    const budget = new ConnectionBudget('tenants', 3)
    const pool = server.pool('a', budget)
    const leases = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()])
    budget.resize(1)
    for (const lease of leases) lease.release()
    await server.clock.advance(0)
    expect(server.open).toBe(1)
    const [, waiting] = [await pool.acquire(), pool.acquire()]
    budget.resize(2)
    expect(await waiting).toBeDefined()
    expect(server.open).toBe(2)
  })

  test.each([0, -1, 1.5, Number.NaN, Infinity])('reject a max of %s', (max) => {
    expect(() => new ConnectionBudget('tenants', max)).toThrow('a whole number from 1')
  })

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('never exceed it and lose no caller (seed %i)', async (seed) => {
    const random = seededRandom(seed)
    const server = new Server()
    server.latencyMillis = 1 + Math.floor(random() * 20)
    const budget = new ConnectionBudget('tenants', 1 + Math.floor(random() * 6))
    const pools = Array.from({ length: 2 + Math.floor(random() * 20) }, (_, n) => server.pool(`${n}`, budget, 4))
    let served = 0
    const callers = Array.from({ length: 300 }, async () => {
      await new Promise<void>((resolve) => server.clock.after(random() * 2_000, resolve))
      const pool = pools[Math.floor(random() * pools.length)] as Pool<object>
      const lease: Lease<object> = await pool.acquire({ timeoutMillis: Infinity })
      await new Promise<void>((resolve) => server.clock.after(random() * 30, resolve))
      if (random() < 0.05) lease.destroy()
      else lease.release()
      served++
    })
    await server.clock.advance(600_000)
    await Promise.all(callers)
    expect(served).toBe(300)
    expect(server.most).toBeLessThanOrEqual(budget.max)
    await server.clock.advance(100_000)
    expect([budget.used, budget.pools, server.open]).toEqual([0, 0, 0])
  })
})
