import { setTimeout } from 'node:timers/promises'
import { expect } from 'vitest'

/** Polls for a state of the fleet, with a timeout that is long enough for a busy machine. */
export function eventually<T>(read: () => T, message?: string) {
  return expect.poll(read, { timeout: 60_000, interval: 20, ...(message !== undefined && { message }) })
}

/** Keeps a connection busy, and leaves time to the other processes of a fleet: tests with short intervals fail on a busy machine. */
export const BUSY_QUERY = 'select pg_sleep(0.02)'

/** No caller is rejected because the machine is busy: for tests in which a rejection would be a fault of the fleet. */
export const PATIENT = { acquireTimeoutMillis: 60_000 }

/** Callers that each run a short query in a loop, until `stop`. */
export function keepBusy(
  pool: { query(text: string): Promise<unknown> | undefined },
  callers: number,
  text = BUSY_QUERY,
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
