import { DEFAULT_POOL_SETTINGS, Pool } from '@poolguard/core/adapter'

const ROUNDS_TOTAL = 20_000

/** The cost of lining up, being served and leaving, in a line of so many, in microseconds each. */
export async function microsPerWaiter(waiters: number): Promise<number> {
  const pool = new Pool({
    name: 'bench',
    settings: { ...DEFAULT_POOL_SETTINGS, max: 1, maxWaiters: Infinity },
    classify: () => 'unavailable',
    factory: { open: async () => ({}), close: async () => {} },
  })
  const rounds = ROUNDS_TOTAL / waiters
  const began = performance.now()
  for (let round = 0; round < rounds; round++) {
    const held = await pool.acquire()
    const line = Array.from({ length: waiters }, async () => (await pool.acquire()).release())
    held.release()
    await Promise.all(line)
  }
  const millis = performance.now() - began
  await pool.drain()
  return (millis * 1_000) / (rounds * waiters)
}
