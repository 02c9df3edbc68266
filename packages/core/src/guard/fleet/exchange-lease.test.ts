import { beforeEach, expect, test, vi } from 'vitest'
import { DEFAULT_POOL_SETTINGS, Pool } from '../../pool/index.ts'
import { ExchangeLease } from './exchange-lease.ts'

/** What {@link abortAfter} was asked for, in milliseconds, and how to let that time pass. */
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
  return { pool, seat: new ExchangeLease(() => pool), held: pool.acquire() }
}

test('an urgent look that gets no connection opens one more', async () => {
  const { pool, seat, held } = givenBusyPool()
  await held
  const look = seat.run(true, async (lease) => lease.release())
  expect(patience.map(({ millis }) => millis)).toEqual([50])
  patience[0]?.pass()
  await look
  expect(pool.stats().opened).toBe(2)
})

test('an urgent look after one that failed waits longer before it opens one more', async () => {
  const { pool, seat, held } = givenBusyPool()
  const lease = await held
  const failing = seat.run(true, async (own) => {
    own.release()
    throw new Error('the lock did not come free')
  })
  patience[0]?.pass()
  await expect(failing).rejects.toThrow('the lock')
  const before = pool.stats().opened

  const look = seat.run(true, async (own) => own.release())
  expect(patience.at(-1)?.millis).toBe(1_000)
  lease.release()
  await look
  expect(pool.stats().opened).toBe(before)

  // It has succeeded.
  const again = await pool.acquire()
  const next = seat.run(true, async (own) => own.release())
  expect(patience.at(-1)?.millis).toBe(50)
  again.release()
  await next
})
