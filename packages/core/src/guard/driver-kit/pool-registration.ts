import { type ObservedPool, registerPool } from '../../observe/index.ts'
import type { PoolEvent } from '../../pool/index.ts'

export interface PoolRegistrationOptions {
  readonly name: string
  /** Emits an event of the pool. */
  readonly emit: (event: PoolEvent) => void
  /** Whether the application listens to events; otherwise warnings go to `process.emitWarning`. */
  readonly hasListener: boolean
}

/**
 * Registers a pool in the process and emits its warnings. A pool is registered on first use: the registry would keep an unused
 * pool from being garbage collected.
 */
export class PoolRegistration {
  readonly #pool: ObservedPool
  readonly #options: PoolRegistrationOptions
  #unregister: (() => void) | undefined

  constructor(pool: ObservedPool, options: PoolRegistrationOptions) {
    this.#pool = pool
    this.#options = options
  }

  /** False until the first use; stays true after the pool has closed, so that it is not registered again. */
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
