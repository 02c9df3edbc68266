import { setTimeout } from 'node:timers/promises'
import { expect } from 'vitest'

/** Polls for a state of the fleet, with a timeout that is long enough for a busy machine. */
export function eventually<T>(read: () => T, message?: string) {
  return expect.poll(read, { timeout: 60_000, interval: 20, ...(message !== undefined && { message }) })
}

/** Callers that each run a short query in a loop, until `stop`. */
export function keepBusy(
  pool: { query(text: string): Promise<unknown> | undefined },
  callers: number,
  text = 'select pg_sleep(0.01)',
) {
  let going = true
  const failures: unknown[] = []
  const lines = Array.from({ length: callers }, async () => {
    while (going) {
      try {
        await pool.query(text)
      } catch (error) {
        failures.push(error)
        // A caller whose session a test has ended goes on. Without the pause, a pool that rejects at once would block the process.
        await setTimeout(10)
      }
    }
  })
  return {
    failures,
    async stop() {
      going = false
      await Promise.all(lines)
    },
  }
}
