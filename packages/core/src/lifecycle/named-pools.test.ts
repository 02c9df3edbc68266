import { afterEach, expect, test, vi } from 'vitest'
import { type NamedPool, type SharedPool, sharePool } from './named-pools.ts'

class FakePool {
  open = true
  async close(): Promise<void> {
    this.open = false
  }
}

const made: FakePool[] = []

function given(name: string | undefined, options: unknown = {}, kind = 'pg'): NamedPool<FakePool> {
  return {
    kind,
    name,
    options,
    make: () => {
      const pool = new FakePool()
      made.push(pool)
      return pool
    },
    isOpen: (pool) => pool.open,
    close: (pool) => pool.close(),
  }
}

let loads = 0

/** Loads the module again, like a development server. */
async function reload(): Promise<typeof sharePool> {
  const url = new URL(`./named-pools.ts?load=${++loads}`, import.meta.url).href
  const loaded: typeof import('./named-pools.ts') = await import(/* @vite-ignore */ url)
  expect(loaded.sharePool).not.toBe(sharePool)
  return loaded.sharePool
}

afterEach(() => {
  for (const pool of made.splice(0)) pool.open = false
  vi.restoreAllMocks()
})

test('given a name, when the module is loaded ten times, then there is one pool, and only the last load closes it', async () => {
  const held: SharedPool<FakePool>[] = []
  for (let i = 0; i < 10; i++) held.push((await reload())(given('orders', { max: 3, onEvent: () => {} })))

  expect(made).toHaveLength(1)
  expect(held.map(({ pool }) => pool)).toEqual(Array(10).fill(made[0]))
  for (const earlier of held.slice(0, 9)) await earlier.end()
  expect(made[0]?.open).toBe(true)
  await held.at(-1)?.end()
  expect(made[0]?.open).toBe(false)
})

test('given no name, or a different name or kind, then there are several pools, each closed by its own caller', async () => {
  for (const each of [given(undefined), given(undefined), given('a'), given('b'), given('a', {}, 'postgres-js')]) {
    const { pool, end } = sharePool(each)
    await end()
    expect(pool.open).toBe(false)
  }
  expect(made).toHaveLength(5)
})

test('given different options, then the new pool replaces the old one, which is closed, with a warning without secrets', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  const first = sharePool(given('orders', { url: 'postgresql://app:s3cret@a/x' }))
  const second = sharePool(given('orders', { url: 'postgresql://app:s3cret@b/x' }))

  expect(second.pool).not.toBe(first.pool)
  expect([first.pool.open, second.pool.open]).toEqual([false, true])
  await first.end()
  expect(second.pool.open).toBe(true)
  expect(warn).toHaveBeenCalledExactlyOnceWith(
    expect.stringContaining('pool "orders" was created again'),
    'PoolguardWarning',
  )
  expect(warn.mock.calls.join()).not.toContain('s3cret')
})

test('given the pool of that name was closed, then a new one is created without a warning', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  await sharePool(given('orders')).pool.close()
  expect(sharePool(given('orders', { max: 4 })).pool.open).toBe(true)
  expect(made).toHaveLength(2)
  expect(warn).not.toHaveBeenCalled()
})

test('given a pool that was closed already, then ending it does nothing', async () => {
  const { pool, end } = sharePool(given('orders'))
  await pool.close()
  const close = vi.spyOn(pool, 'close')
  await end()
  expect(close).not.toHaveBeenCalled()
})

test('given options with a circular reference, then they are compared, too', () => {
  const circle = (max: number) => {
    const options: Record<string, unknown> = { max }
    options.self = options
    return options
  }
  vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  const pools = [1, 1, 2].map((max) => sharePool(given('orders', circle(max))).pool)
  expect(pools[0]).toBe(pools[1])
  expect(pools[2]).not.toBe(pools[1])
})
