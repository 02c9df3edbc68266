import { setTimeout as sleep } from 'node:timers/promises'

export interface WaitOptions {
  /** What is waited for, for the error's message. */
  readonly what: string
  /** Default 60,000: a busy machine takes its time. */
  readonly deadlineMillis?: number
  /** Default 15. */
  readonly everyMillis?: number
}

/**
 * Polls `condition` until it returns something truthy, and returns that.
 * An exception thrown by `condition` counts as "not yet"; the last one becomes the cause of the error at the deadline.
 */
export async function waitUntil<Value>(
  condition: () => Value | Promise<Value>,
  { what, deadlineMillis = 60_000, everyMillis = 15 }: WaitOptions,
): Promise<Value> {
  const deadline = performance.now() + deadlineMillis
  let cause: unknown
  for (;;) {
    try {
      const value = await condition()
      if (value) return value
      cause = undefined
    } catch (error) {
      cause = error
    }
    if (performance.now() > deadline) throw new Error(`not within ${deadlineMillis} ms: ${what}`, { cause })
    await sleep(everyMillis)
  }
}
