import { type ObservedPool, registerPool } from '../../observe/index.ts'
import type { PoolEvent } from '../../pool/index.ts'

export interface PoolRegistrationOptions {
  readonly name: string
  /** Calls the listeners of the pool's events. */
  readonly emit: (event: PoolEvent) => void
  /** Whether the application listens to the events; otherwise the process warns. */
  readonly hasListener: boolean
}

/**
 * A pool's place in the process: its entry in the registry, and its warnings. A pool is entered with its first use, because the
 * registry would keep one that is made and dropped from being collected.
 */
export class PoolRegistration {
  readonly #pool: ObservedPool
  readonly #options: PoolRegistrationOptions
  #unregister: (() => void) | undefined

  constructor(pool: ObservedPool, options: PoolRegistrationOptions) {
    this.#pool = pool
    this.#options = options
  }

  /** False until the first use. True after the end as well, so that a closed pool is not entered again. */
  get isEntered(): boolean {
    return this.#unregister !== undefined
  }

  enter(): void {
    this.#unregister ??= registerPool(this.#pool)
  }

  leave(): void {
    this.#unregister?.()
    this.#unregister = () => {}
  }

  warn(message: string): void {
    const { name, emit, hasListener } = this.#options
    emit({ type: 'warning', message })
    if (!hasListener) process.emitWarning(`pool "${name}": ${message}`, 'PoolguardWarning')
  }
}
