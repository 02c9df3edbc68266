import type { Clock } from '../clock.ts'
import type { ConnectFailure } from './connect-failure.ts'
import { HookFailure } from './errors.ts'
import type { OpenContext, ResourceFactory } from './resource-factory.ts'

/** How many connections are opened in parallel at first. Every success doubles the number; a failure sets it to 1. */
const FIRST_PARALLEL = 4

/**
 * Pauses between attempts: full jitter below a ceiling that doubles
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 */
const FIRST_PAUSE_MILLIS = 50
const MAX_PAUSE_MILLIS = 2_000

/** How long an aborted attempt may take to end by itself. It occupies its slot until then. */
const GRACE_MILLIS = 1_000

export interface ConnectorOptions<R> {
  readonly factory: ResourceFactory<R>
  readonly clock: Clock
  readonly random: () => number
  readonly connectTimeoutMillis: () => number
  readonly classify: (error: unknown) => ConnectFailure
  readonly advise: (error: unknown) => string | undefined
  /** Called for each opened connection. It registers `lost` through `whenLost`. */
  readonly onOpened: (resource: R, millis: number, whenLost: (lost: (error: unknown) => void) => void) => void
  readonly onFailed: (failure: ConnectFailure, error: unknown, retryInMillis: number | null) => void
  /** The app's own code failed on a new connection. Returns true if a caller was rejected, so that the next attempt is for another caller. */
  readonly onHookFailed: (error: unknown) => boolean
  /** Called after a pause: the next attempt may start. */
  readonly onReady: () => void
}

/**
 * Opens connections for a pool. After a failure it opens one connection at a time with growing pauses, so that hundreds of
 * callers on a full database cause only a handful of attempts.
 */
export class Connector<R> {
  readonly #options: ConnectorOptions<R>
  readonly #attempts = new Set<AbortController>()
  #parallel = FIRST_PARALLEL
  #failures = 0
  #cancelPause: (() => void) | undefined
  #stopped = false
  /** The last failure; undefined if the last attempt succeeded. */
  trouble:
    | { readonly failure: ConnectFailure; readonly error: unknown; readonly advice: string | undefined }
    | undefined

  constructor(options: ConnectorOptions<R>) {
    this.#options = options
  }

  /** Attempts in progress. */
  get opening(): number {
    return this.#attempts.size
  }

  /**
   * Whether one more attempt may start now. The pause after a permanent failure is skipped if a caller waits (`urgent`): a
   * permanent failure comes from configuration, which may have been fixed meanwhile.
   */
  mayOpen({ urgent }: { readonly urgent: boolean }): boolean {
    if (this.#stopped || this.#attempts.size >= this.#parallel) return false
    return this.#cancelPause === undefined || (urgent && this.trouble?.failure === 'permanent')
  }

  /** Starts one attempt; its result goes to `onOpened`, `onFailed` or `onHookFailed`. */
  open(): void {
    const attempt = new AbortController()
    this.#attempts.add(attempt)
    void this.#try(attempt)
  }

  /** Aborts attempts in progress and cancels the pause. No attempt starts after it. */
  stop(): void {
    this.#stopped = true
    this.#cancelPause?.()
    this.#cancelPause = undefined
    for (const attempt of this.#attempts) attempt.abort(new Error('the pool is closing'))
  }

  async #try(attempt: AbortController): Promise<void> {
    const { clock, factory, onOpened } = this.#options
    const startedAt = clock.now()
    const limit = this.#options.connectTimeoutMillis()
    const { blockedMillis } = clock
    const timeOut = () => attempt.abort(new ConnectTimeout(limit, clock.blockedMillis - blockedMillis))
    const cancelTimeout = limit === Infinity ? undefined : clock.after(limit, timeOut)
    const loss = new LossSignal()
    try {
      const resource = await this.#untilAborted(
        openWith(factory, { signal: attempt.signal, lost: (error) => loss.report(error) }),
        attempt.signal,
      )
      this.#attempts.delete(attempt)
      this.#onSuccess()
      onOpened(resource, clock.now() - startedAt, (lost) => loss.onReport(lost))
    } catch (error) {
      this.#attempts.delete(attempt)
      if (!(error instanceof HookFailure)) this.#onFailure(error)
      else if (!this.#options.onHookFailed(error.error)) this.#onFailure(error.error)
    } finally {
      cancelTimeout?.()
    }
  }

  /**
   * Resolves to the opened resource. After the signal is aborted it rejects with the signal's reason, even if the factory ignores
   * the signal for longer than the grace. A resource that is opened after the signal is closed.
   */
  async #untilAborted(opening: Promise<R>, signal: AbortSignal): Promise<R> {
    const { promise: over, reject } = Promise.withResolvers<never>()
    let cancelGrace: (() => void) | undefined
    const abort = () => {
      cancelGrace = this.#options.clock.after(GRACE_MILLIS, () => reject(signal.reason))
    }
    signal.addEventListener('abort', abort, { once: true })
    try {
      const outcome = opening.then(async (resource) => {
        if (!signal.aborted) return resource
        await this.#options.factory.close(resource)
        throw signal.reason
      })
      return await Promise.race([outcome, over])
    } finally {
      cancelGrace?.()
      signal.removeEventListener('abort', abort)
    }
  }

  #onSuccess(): void {
    this.#failures = 0
    this.trouble = undefined
    this.#parallel *= 2
    this.#cancelPause?.()
    this.#cancelPause = undefined
  }

  #onFailure(error: unknown): void {
    const failure = this.#options.classify(error)
    this.trouble = { failure, error, advice: this.#options.advise(error) }
    this.#parallel = 1
    // Parallel attempts that fail together cause one pause.
    const pause = this.#stopped || this.#cancelPause ? null : this.#pause()
    this.#options.onFailed(failure, error, pause)
  }

  #pause(): number {
    const ceiling = Math.min(MAX_PAUSE_MILLIS, FIRST_PAUSE_MILLIS * 2 ** this.#failures++)
    const pause = Math.ceil(this.#options.random() * ceiling)
    const over = () => {
      this.#cancelPause = undefined
      this.#options.onReady()
    }
    // Waiters keep the process alive; connections for `min` must not.
    this.#cancelPause = this.#options.clock.after(pause, over, { background: true })
    return pause
  }
}

/**
 * Turns a factory that throws synchronously into one that rejects. A synchronous failure would return into the loop that starts
 * attempts, which would then start the next one endlessly.
 */
async function openWith<R>(factory: ResourceFactory<R>, context: OpenContext): Promise<R> {
  return await factory.open(context)
}

class ConnectTimeout extends Error {
  static {
    ConnectTimeout.prototype.name = 'ConnectTimeout'
  }

  readonly code = 'ETIMEDOUT'

  /** @param blockedMillis how long the event loop was blocked during the attempt. */
  constructor(millis: number, blockedMillis: number) {
    const blocked =
      blockedMillis > 0
        ? `; the event loop of this process was blocked for ${Math.round(blockedMillis)} ms of that time`
        : ''
    super(`connect timeout: the server did not answer within ${millis} ms${blocked}`)
  }
}

/** Reports once that a connection was lost, also to a listener that is registered later. */
class LossSignal {
  #loss: { readonly error: unknown } | undefined
  #listener: ((error: unknown) => void) | undefined

  report(error: unknown): void {
    if (this.#loss) return
    this.#loss = { error }
    this.#listener?.(error)
  }

  onReport(listener: (error: unknown) => void): void {
    if (this.#loss) listener(this.#loss.error)
    else this.#listener = listener
  }
}
