import { constants } from 'node:os'
import { systemClock } from '../clock.ts'
import { requireDuration } from '../invalid-option-error.ts'
import { listPools } from '../observe/index.ts'

const DEADLINE_MILLIS = 10_000
/** How long the servers have to let go of connections that were cut off at the deadline. */
const GRACE_MILLIS = 1_000

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
 * @returns when the servers have let go of every connection, or a second after the deadline.
 */
export async function closePools(deadlineMillis: number = DEADLINE_MILLIS): Promise<void> {
  requireDuration('deadlineMillis', deadlineMillis)
  const closed = listPools().map(async (pool) => {
    try {
      await pool.close?.(deadlineMillis)
    } catch (error) {
      warn(`a pool could not be closed: ${String(error)}`)
    }
  })
  await withinMillis(deadlineMillis + GRACE_MILLIS, Promise.all(closed))
}

/**
 * On SIGTERM and SIGINT: stops new work, drains every guarded pool, and ends the process as the signal would have, with its
 * own exit status. A second signal ends it at once. Where somebody else listens to the signal too, it is theirs to end
 * the process. Frameworks with shutdown hooks of their own do not need it.
 *
 * @returns takes the handlers off again.
 * @throws {InvalidOptionError} for a deadline that cannot be meant.
 * @example
 * // Kubernetes and Heroku kill 30 s after the first signal.
 * installShutdown({ before: () => server[Symbol.asyncDispose](), deadlineMillis: 20_000 })
 */
export function installShutdown(options: ShutdownOptions = {}): () => void {
  const { signals = ['SIGTERM', 'SIGINT'], before, deadlineMillis = DEADLINE_MILLIS } = options
  requireDuration('deadlineMillis', deadlineMillis)
  let stopping = false
  const stop = (signal: NodeJS.Signals) => {
    if (stopping) return endBy(signal, uninstall)
    stopping = true
    // Asked now: whoever listens once is gone from the list as soon as they have been told.
    const isOurs = process.listenerCount(signal) === 1
    void shutDown(before, deadlineMillis).then(() => {
      if (isOurs) endBy(signal, uninstall)
    })
  }
  const uninstall = () => {
    for (const signal of signals) process.off(signal, stop)
  }
  for (const signal of signals) process.prependListener(signal, stop)
  return uninstall
}

async function shutDown(before: ShutdownOptions['before'], deadlineMillis: number): Promise<void> {
  const deadline = systemClock.now() + deadlineMillis
  const stopped = Promise.resolve()
    .then(before)
    .catch((error) => warn(`shutdown: what comes before failed: ${String(error)}`))
  await withinMillis(deadlineMillis, stopped)
  await closePools(Math.max(0, deadline - systemClock.now()))
}

/** The kernel drops a signal that process 1 has no handler for, and in a container that is what node often is. */
function endBy(signal: NodeJS.Signals, uninstall: () => void): void {
  uninstall()
  if (process.pid === 1) process.exit(128 + constants.signals[signal])
  process.kill(process.pid, signal)
}

async function withinMillis(millis: number, promise: Promise<unknown>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const cancel = systemClock.after(millis, resolve)
  try {
    await Promise.race([promise, late])
  } finally {
    cancel()
  }
}

function warn(message: string): void {
  process.emitWarning(message, 'PoolguardWarning')
}
