import type { Clock } from '../clock.ts'
import type { ConnectFailure } from './connect-failure.ts'
import { HookFailure } from './errors.ts'
import type { OpenContext, ResourceFactory } from './resource-factory.ts'

/** How many connections are opened side by side at first; every success doubles it, a failure leaves one at a time. */
const FIRST_PARALLEL = 4

/**
 * Pauses between attempts: full jitter over a doubling ceiling
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 */
const FIRST_PAUSE_MILLIS = 50
const MAX_PAUSE_MILLIS = 2_000

/** How long an attempt that is given up may take to end by itself. Until then its slot is taken. */
const GRACE_MILLIS = 1_000

export interface ConnectorOptions<R> {
  readonly factory: ResourceFactory<R>
  readonly clock: Clock
  readonly random: () => number
  readonly connectTimeoutMillis: () => number
  readonly classify: (error: unknown) => ConnectFailure
  readonly advise: (error: unknown) => string | undefined
  /** A connection is there. `lost` is called if it dies later. */
  readonly opened: (resource: R, millis: number, whenLost: (lost: (error: unknown) => void) => void) => void
  readonly failed: (failure: ConnectFailure, error: unknown, retryInMillis: number | null) => void
  /** The app's own code has failed on a connection. Returns whether a caller was told, so that the next attempt is another caller's. */
  readonly hookFailed: (error: unknown) => boolean
  /** A pause is over: opening may be tried again. */
  readonly ready: () => void
}

/**
 * Opens connections for a pool, and knows when not to: after a failure it goes on one at a time with growing pauses, so
 * that hundreds of callers on a full database cause a handful of attempts.
 */
export class Connector<R> {
  readonly #options: ConnectorOptions<R>
  readonly #attempts = new Set<AbortController>()
  #parallel = FIRST_PARALLEL
  #failures = 0
  #cancelPause: (() => void) | undefined
  #stopped = false
  /** Why connections cannot be opened at the moment; undefined where they can. */
  trouble:
    | { readonly failure: ConnectFailure; readonly error: unknown; readonly advice: string | undefined }
    | undefined

  constructor(options: ConnectorOptions<R>) {
    this.#options = options
  }

  /** Attempts under way. */
  get opening(): number {
    return this.#attempts.size
  }

  /**
   * Whether one more attempt may start now. A permanent failure is a matter of configuration, which may just have been put
   * right: while a caller asks (`urgent`) its pause does not hold.
   */
  mayOpen({ urgent }: { readonly urgent: boolean }): boolean {
    if (this.#stopped || this.#attempts.size >= this.#parallel) return false
    return this.#cancelPause === undefined || (urgent && this.trouble?.failure === 'permanent')
  }

  /** Starts one attempt; its outcome comes through `opened` or `failed`. */
  open(): void {
    const attempt = new AbortController()
    this.#attempts.add(attempt)
    void this.#try(attempt)
  }

  /** Gives up what is under way and the pause. No attempt starts after it. */
  stop(): void {
    this.#stopped = true
    this.#cancelPause?.()
    this.#cancelPause = undefined
    for (const attempt of this.#attempts) attempt.abort(new Error('the pool is closing'))
  }

  async #try(attempt: AbortController): Promise<void> {
    const { clock, factory, opened } = this.#options
    const began = clock.now()
    const limit = this.#options.connectTimeoutMillis()
    const { blockedMillis } = clock
    const timeOut = () => attempt.abort(new ConnectTimeout(limit, clock.blockedMillis - blockedMillis))
    const cancelTimeout = limit === Infinity ? undefined : clock.after(limit, timeOut)
    const life = new Life()
    try {
      const resource = await this.#untilAborted(
        openWith(factory, { signal: attempt.signal, lost: (error) => life.end(error) }),
        attempt.signal,
      )
      this.#attempts.delete(attempt)
      this.#succeeded()
      opened(resource, clock.now() - began, (lost) => life.onEnd(lost))
    } catch (error) {
      this.#attempts.delete(attempt)
      if (!(error instanceof HookFailure)) this.#failed(error)
      else if (!this.#options.hookFailed(error.error)) this.#failed(error.error)
    } finally {
      cancelTimeout?.()
    }
  }

  /**
   * What is being opened; after the signal its reason, where the factory heeds that within the grace or not. What is opened
   * all the same is closed.
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

  #succeeded(): void {
    this.#failures = 0
    this.trouble = undefined
    this.#parallel *= 2
    this.#cancelPause?.()
    this.#cancelPause = undefined
  }

  #failed(error: unknown): void {
    const failure = this.#options.classify(error)
    this.trouble = { failure, error, advice: this.#options.advise(error) }
    this.#parallel = 1
    // Several that were under way side by side and fail together make one pause.
    const pause = this.#stopped || this.#cancelPause ? null : this.#pause()
    this.#options.failed(failure, error, pause)
  }

  #pause(): number {
    const ceiling = Math.min(MAX_PAUSE_MILLIS, FIRST_PAUSE_MILLIS * 2 ** this.#failures++)
    const pause = Math.ceil(this.#options.random() * ceiling)
    const over = () => {
      this.#cancelPause = undefined
      this.#options.ready()
    }
    // A waiter keeps the process alive; what is opened for `min` is no reason to.
    this.#cancelPause = this.#options.clock.after(pause, over, { background: true })
    return pause
  }
}

/**
 * A factory that throws at once rejects as the others do: no outcome may come back into the loop that started the attempt,
 * which would start the next one in the same breath, for ever.
 */
async function openWith<R>(factory: ResourceFactory<R>, context: OpenContext): Promise<R> {
  return await factory.open(context)
}

class ConnectTimeout extends Error {
  static {
    ConnectTimeout.prototype.name = 'ConnectTimeout'
  }

  readonly code = 'ETIMEDOUT'

  /** @param blockedMillis how long the event loop was blocked meanwhile. */
  constructor(millis: number, blockedMillis: number) {
    const blocked =
      blockedMillis > 0
        ? `, of which the event loop of this process was blocked for ${Math.round(blockedMillis)} ms`
        : ''
    super(`connect timeout: the server did not answer within ${millis} ms${blocked}`)
  }
}

/** Remembers that a connection was lost, and why: for a listener that comes later, and for one that is there already. */
class Life {
  #end: { readonly error: unknown } | undefined
  #listener: ((error: unknown) => void) | undefined

  end(error: unknown): void {
    if (this.#end) return
    this.#end = { error }
    this.#listener?.(error)
  }

  onEnd(listener: (error: unknown) => void): void {
    if (this.#end) listener(this.#end.error)
    else this.#listener = listener
  }
}
