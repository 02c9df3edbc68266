import { requireMillis } from '../invalid-option-error.ts'
import { openPools } from '../observe/index.ts'

const DEADLINE_MILLIS = 10_000
/** Node takes a longer one for 1 ms. */
const LONGEST_TIMER_MILLIS = 2 ** 31 - 1

export interface ShutdownOptions {
  /** Default: SIGTERM and SIGINT. */
  readonly signals?: readonly NodeJS.Signals[]
  /** Stops new work, and resolves when it has: then the pools are closed. What it throws is told as a warning. */
  readonly before?: () => unknown
  /** Bound on all of it; connections still in use are then closed as they are. Default: 10 000. */
  readonly deadlineMillis?: number
}

/**
 * Closes every guarded pool of this process: none lends any more, those at work may finish until the deadline.
 *
 * @returns when the servers have let go of every connection.
 */
export async function closePools(deadlineMillis: number = DEADLINE_MILLIS): Promise<void> {
  requireMillis('deadlineMillis', deadlineMillis)
  await Promise.all(openPools().map((pool) => pool.close?.(deadlineMillis)))
}

/**
 * On SIGTERM and SIGINT: stops new work, drains every guarded pool, and lets the signal end the process as it would have,
 * with its own exit status. A second signal ends it at once. Frameworks with shutdown hooks of their own do not need it.
 *
 * @returns takes the handlers off again.
 * @throws {InvalidOptionError} for a deadline that cannot be meant.
 * @example
 * // Kubernetes and Heroku kill 30 s after the first signal.
 * installShutdown({ before: () => server[Symbol.asyncDispose](), deadlineMillis: 20_000 })
 */
export function installShutdown(options: ShutdownOptions = {}): () => void {
  const { signals = ['SIGTERM', 'SIGINT'], before, deadlineMillis = DEADLINE_MILLIS } = options
  requireMillis('deadlineMillis', deadlineMillis)
  const uninstall = () => {
    for (const signal of signals) process.off(signal, stop)
  }
  const stop = (signal: NodeJS.Signals) => {
    uninstall()
    void shutDown(before, deadlineMillis).finally(() => {
      // Whoever else listens decides for themselves when to leave.
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal)
    })
  }
  for (const signal of signals) process.on(signal, stop)
  return uninstall
}

async function shutDown(before: ShutdownOptions['before'], deadlineMillis: number): Promise<void> {
  const deadline = performance.now() + deadlineMillis
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, Math.min(deadlineMillis, LONGEST_TIMER_MILLIS))
  const stopped = Promise.resolve()
    .then(before)
    .catch((error) => process.emitWarning(`shutdown: what comes before failed: ${String(error)}`, 'PoolguardWarning'))
  await Promise.race([stopped, late])
  clearTimeout(timer)
  await closePools(Math.max(0, deadline - performance.now()))
}
