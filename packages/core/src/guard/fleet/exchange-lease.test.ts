import { afterAll, beforeEach, expect, test, vi } from 'vitest'
import { DEFAULT_POOL_SETTINGS, Pool } from '../../pool/index.ts'
import { ExchangeLease } from './exchange-lease.ts'

// Loads the modules with the mock even if another test file of this process has loaded them before, and the other way round.
vi.hoisted(() => vi.resetModules())
afterAll(() => {
  vi.resetModules()
})

/** The timeouts requested from {@link abortAfter}, in milliseconds, with a function that ends each. */
const patience = vi.hoisted(() => [] as { millis: number; pass: () => void }[])

vi.mock('../../clock.ts', async (original) => ({
  ...(await original<typeof import('../../clock.ts')>()),
  abortAfter: (millis: number) => {
    const controller = new AbortController()
    patience.push({ millis, pass: () => controller.abort() })
    return controller.signal
  },
}))

beforeEach(() => {
  patience.length = 0
})

function givenBusyPool() {
  const pool = new Pool<object>({
    name: 'orders',
    settings: { ...DEFAULT_POOL_SETTINGS, max: 1 },
    factory: { open: async () => ({}), close: async () => {} },
    classify: () => 'unavailable',
  })
  return { pool, exchangeLease: new ExchangeLease(pool), held: pool.acquire() }
}

test('an urgent exchange that gets no connection opens one beyond max', async () => {
  const { pool, exchangeLease, held } = givenBusyPool()
  await held
  const exchange = exchangeLease.run(true, async (lease) => lease.release())
  expect(patience.map(({ millis }) => millis)).toEqual([50])
  patience[0]?.pass()
  await exchange
  expect(pool.stats().opened).toBe(2)
})

test('an urgent exchange after a failed one waits longer before it opens one beyond max', async () => {
  const { pool, exchangeLease, held } = givenBusyPool()
  const lease = await held
  const failing = exchangeLease.run(true, async (own) => {
    own.release()
    throw new Error('the lock did not come free')
  })
  patience[0]?.pass()
  await expect(failing).rejects.toThrow('the lock')
  const before = pool.stats().opened

  const exchange = exchangeLease.run(true, async (own) => own.release())
  expect(patience.at(-1)?.millis).toBe(1_000)
  lease.release()
  await exchange
  expect(pool.stats().opened).toBe(before)

  // After a successful exchange the timeout is short again.
  const again = await pool.acquire()
  const next = exchangeLease.run(true, async (own) => own.release())
  expect(patience.at(-1)?.millis).toBe(50)
  again.release()
  await next
})
