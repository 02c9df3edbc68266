import type { Clock } from '../clock.ts'
import type { Lane } from './lane.ts'

/** What the app has registered in @opentelemetry/api: all copies of its version 1 share this object. */
const REGISTERED: unique symbol = Symbol.for('opentelemetry.js.api.1')

/** Shorter waits would fill the traces and explain nothing. */
const MIN_WAIT_MILLIS = 1

/** `SpanStatusCode.ERROR` of @opentelemetry/api. */
const STATUS_ERROR = 2

/** @see https://opentelemetry.io/docs/specs/semconv/registry/attributes/db/ */
export const POOL_ATTRIBUTE = 'db.client.connection.pool.name'

/** The parts of @opentelemetry/api that a span needs. */
interface OpenTelemetry {
  readonly trace?: TracerProvider
  readonly context?: { active(): unknown }
}

interface TracerProvider {
  getTracer(name: string): Tracer
}

interface Tracer {
  startSpan(
    name: string,
    options: { readonly startTime: number; readonly attributes: Readonly<Record<string, string | number>> },
    context: unknown,
  ): Span
}

interface Span {
  setAttribute(name: string, value: string): unknown
  setStatus(status: { readonly code: number; readonly message: string }): unknown
  end(endTime: number): void
}

/**
 * The wait of a caller for a connection, as a span `pool.acquire` below the caller's own span. Only waits of more than a millisecond
 * get one, after their end. Nothing is created, or even measured, unless the app has registered a tracer provider.
 */
export class WaitSpan {
  readonly #clock: Clock
  readonly #since: number
  readonly #startTime = Date.now()
  readonly #attributes: Readonly<Record<string, string>>
  readonly #provider: TracerProvider
  /** The caller's: the wait ends in the context of another one. */
  readonly #context: unknown

  /** Call it in the caller's own stack. */
  static begin(pool: string, lane: Lane, clock: Clock): WaitSpan | undefined {
    const api = (globalThis as { readonly [REGISTERED]?: OpenTelemetry })[REGISTERED]
    return api?.trace && new WaitSpan(pool, lane, clock, api.trace, api.context?.active())
  }

  private constructor(pool: string, lane: Lane, clock: Clock, provider: TracerProvider, context: unknown) {
    this.#attributes = { [POOL_ATTRIBUTE]: pool, ...(lane.hasQuota && { 'poolguard.lane': lane.name }) }
    this.#clock = clock
    this.#since = clock.now()
    this.#provider = provider
    this.#context = context
  }

  /** Ends when the promise settles, whose copy the caller gets. */
  endWith<T>(wait: Promise<T>): Promise<T> {
    return wait.then(
      (lease) => {
        this.end()
        return lease
      },
      (error: unknown) => {
        this.end({ error })
        throw error
      },
    )
  }

  end(failure?: { readonly error: unknown }): void {
    const waitedMillis = this.#clock.now() - this.#since
    // An exception of the app's SDK must not keep the lease from its caller.
    if (waitedMillis > MIN_WAIT_MILLIS) queueMicrotask(() => this.#export(waitedMillis, failure))
  }

  #export(waitedMillis: number, failure: { readonly error: unknown } | undefined): void {
    const attributes = { ...this.#attributes, 'poolguard.wait_time': waitedMillis / 1_000 }
    const options = { startTime: this.#startTime, attributes }
    const span = this.#provider.getTracer('poolguard').startSpan('pool.acquire', options, this.#context)
    if (failure) {
      const { name, message } = failure.error instanceof Error ? failure.error : new Error(String(failure.error))
      span.setAttribute('error.type', name)
      span.setStatus({ code: STATUS_ERROR, message })
    }
    span.end(this.#startTime + waitedMillis)
  }
}
