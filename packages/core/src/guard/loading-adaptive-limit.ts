import type { AdaptiveLimit, AdaptiveLimitState, LimitGuide } from '../adaptive/index.ts'
import type { LoadingInsight } from '../observe/index.ts'
import type { Pool } from '../pool/index.ts'

export interface LoadingAdaptiveLimitOptions<C extends object> {
  readonly engine: Pool<C>
  readonly recorder: LoadingInsight<C> | undefined
  /** Set if the pool is an instance of a fleet; its `part` is undefined until the instance has joined. */
  readonly fleet: { readonly part: LimitGuide | undefined } | undefined
  readonly warn: (message: string) => void
}

/** The controller of a pool with `limit: 'adaptive'`, which is loaded when a caller waits for the first time. */
export class LoadingAdaptiveLimit<C extends object> {
  readonly #options: LoadingAdaptiveLimitOptions<C>
  #limit: AdaptiveLimit | undefined
  #loading: Promise<void> | undefined

  constructor(options: LoadingAdaptiveLimitOptions<C>) {
    this.#options = options
  }

  /** Undefined until a caller has waited. */
  get state(): AdaptiveLimitState | undefined {
    return this.#limit?.state
  }

  /** A caller waits. */
  onWait(): void {
    const { fleet, warn } = this.#options
    if (this.#limit) this.#limit.onWait()
    // An instance of a fleet follows it as soon as it has joined.
    else if (!fleet || fleet.part)
      this.#loading ??= import('../adaptive/index.ts').then(
        ({ AdaptiveLimit }) => this.#begin(AdaptiveLimit),
        (error: unknown) => warn(`the limit stays as it is, because its controller cannot be loaded: ${String(error)}`),
      )
  }

  #begin(Limit: typeof AdaptiveLimit): void {
    const { engine, recorder, fleet } = this.#options
    const limit = new Limit({ engine, countsStatements: recorder !== undefined, guide: fleet?.part })
    this.#limit = limit
    recorder?.onAnswered((statement, millis) => limit.onAnswered(statement, millis))
    limit.onWait()
  }
}
