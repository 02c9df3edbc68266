import { QueryAfterReleaseError } from './errors.ts'
import type { Lease } from './lease.ts'
import type { Pool } from './pool.ts'

export interface LateQueryReporterOptions {
  /** Emit a process warning as well, for users that do not listen to events. */
  readonly warnsProcess: boolean
}

export interface LateQuery {
  /** The stack of the caller that sent it. */
  readonly stack: string | null
  /** Whether it is rejected instead of being run. */
  readonly rejected: boolean
}

/** Reports queries that callers send on checkouts, or in transactions, that have ended. */
export class LateQueryReporter<R> {
  readonly #engine: Pool<R>
  readonly #warnsProcess: boolean
  #warned = false

  constructor(engine: Pool<R>, { warnsProcess }: LateQueryReporterOptions) {
    this.#engine = engine
    this.#warnsProcess = warnsProcess
  }

  /** @returns the error for a query that is rejected. */
  report(lease: Lease<R>, { stack, rejected }: LateQuery): QueryAfterReleaseError {
    const engine = this.#engine
    const checkout = engine.endedCheckout(lease)
    const error = new QueryAfterReleaseError(engine.name, checkout)
    engine.emit({ type: 'query-after-release', checkout, stack, rejected })
    if (this.#warnsProcess && !this.#warned) {
      this.#warned = true
      process.emitWarning(`${error.message} The query was sent\n${stack}`, 'PoolguardWarning')
    }
    return error
  }
}
