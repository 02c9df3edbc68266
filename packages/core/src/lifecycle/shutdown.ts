import { systemClock } from '../clock.ts'
import { requireDuration } from '../invalid-option-error.ts'
import { listPools } from '../observe/index.ts'

const DEADLINE_MILLIS = 10_000
/** How long the servers may take to close connections that were still in use at the deadline. */
const GRACE_MILLIS = 1_000

export interface ShutdownOptions {
  /** Default: SIGTERM and SIGINT. On Windows SIGINT and SIGBREAK (Ctrl-C and Ctrl-Break), because no process receives SIGTERM there. */
  readonly signals?: readonly NodeJS.Signals[]
  /** Stops accepting new work; the pools are closed after it resolves. An error becomes a warning. */
  readonly before?: () => unknown
  /** Deadline of the whole shutdown, after which connections in use are closed, too. Default: 10 000. */
  readonly deadlineMillis?: number
}

/**
 * Closes every guarded pool of this process: pools reject new callers, and in-flight work may finish until the deadline.
 *
 * @returns a promise that resolves when the servers have closed every connection, or a second after the deadline.
 */
export async function closePools(deadlineMillis: number = DEADLINE_MILLIS): Promise<void> {
  requireDuration('deadlineMillis', deadlineMillis)
  const closed = listPools().map(async (pool) => {
    try {
      await pool.close?.(deadlineMillis)
    } catch (error) {
      warn(`closing a pool failed: ${String(error)}`)
    }
  })
  await withinMillis(deadlineMillis + GRACE_MILLIS, Promise.all(closed))
}

/**
 * On SIGTERM and SIGINT (on Windows SIGINT and SIGBREAK): stops new work, drains every guarded pool, and then ends the process with
 * the signal's exit status (on Windows 1). A second signal ends the process immediately. If the signal has another listener, that listener has to end
 * the process. You do not need it in frameworks with shutdown hooks.
 *
 * @returns a function that removes the signal handlers.
 * @throws {InvalidOptionError} for an invalid deadline.
 * @example
 * // Kubernetes and Heroku kill 30 s after the first signal.
 * installShutdown({ before: () => server[Symbol.asyncDispose](), deadlineMillis: 20_000 })
 */
export function installShutdown(options: ShutdownOptions = {}): () => void {
  const { signals = defaultSignals(process.platform), before, deadlineMillis = DEADLINE_MILLIS } = options
  requireDuration('deadlineMillis', deadlineMillis)
  let stopping = false
  const stop = (signal: NodeJS.Signals) => {
    if (stopping) return endBy(signal, uninstall)
    stopping = true
    // Counted now, because a `once` listener is removed when it is called.
    const isOnlyListener = process.listenerCount(signal) === 1
    void shutDown(before, deadlineMillis).then(() => {
      if (isOnlyListener) endBy(signal, uninstall)
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
    .catch((error) => warn(`shutdown: the option before failed: ${String(error)}`))
  await withinMillis(deadlineMillis, stopped)
  await closePools(Math.max(0, deadline - systemClock.now()))
}

/** The signals that ask a process to end. @see https://nodejs.org/api/process.html#signal-events */
export function defaultSignals(platform: NodeJS.Platform): readonly NodeJS.Signals[] {
  return platform === 'win32' ? ['SIGINT', 'SIGBREAK'] : ['SIGTERM', 'SIGINT']
}

/** The kernel ignores signals without a handler for process 1, and in a container node often is process 1. */
function endBy(signal: NodeJS.Signals, uninstall: () => void): void {
  uninstall()
  if (process.pid === 1) process.exit(128 + process.getBuiltinModule('node:os').constants.signals[signal])
  process.kill(process.pid, endingSignal(signal, process.platform))
}

/** Windows has no signals: Node ends the process at once, with exit code 1, for SIGTERM, but cannot send SIGBREAK and SIGHUP. */
export function endingSignal(signal: NodeJS.Signals, platform: NodeJS.Platform): NodeJS.Signals {
  return platform === 'win32' ? 'SIGTERM' : signal
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
