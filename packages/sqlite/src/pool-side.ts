import {
  type Lease,
  type ObservedPool,
  Pool,
  type PoolCounts,
  type PoolEventListener,
  type PoolSettings,
  type PoolSnapshot,
  registerPool,
} from '@poolguard/core'
import { ConnectionFactory, type ConnectionFactoryOptions, classifyOpenFailure } from './connection-factory.ts'
import type { SqliteConnection } from './sqlite-connection.ts'
import { Turns } from './turns.ts'

export interface PoolSideOptions extends Omit<ConnectionFactoryOptions, 'warn'> {
  /** The file's path. */
  readonly target: string
  readonly settings: PoolSettings
  readonly onEvent: PoolEventListener | undefined
  /** Closes the pool that this is a side of. */
  readonly close: (drainMillis: number) => Promise<void>
}

/** The readers or the writer of a pool: an engine, as the process's registry knows pools. */
export class PoolSide implements ObservedPool {
  readonly engine: Pool<SqliteConnection>
  /** For single statements. */
  readonly turns: Turns
  readonly #options: PoolSideOptions
  /** Only what is used is entered: a pool that is made and dropped must not be kept from being collected. */
  #unregister: (() => void) | undefined

  constructor(options: PoolSideOptions) {
    const { name, settings, onEvent } = options
    this.#options = options
    this.engine = new Pool({
      name,
      settings,
      factory: new ConnectionFactory({ ...options, warn: (message) => this.#warn(message) }),
      classify: classifyOpenFailure,
      onEvent,
    })
    this.turns = new Turns({
      acquire: () => this.acquire(),
      repeatable: options.spec.role === 'reader',
      mayShare: () => this.#mayShare(),
    })
    if (settings.min > 0) this.#enter()
  }

  /** Borrows a connection. What it throws is told at {@link Pool.acquire}. */
  acquire(): Promise<Lease<SqliteConnection>> {
    if (!this.#unregister) this.#enter()
    return this.engine.acquire()
  }

  get counts(): PoolCounts {
    return this.engine.counts
  }

  snapshot(): PoolSnapshot {
    const { name, target } = this.#options
    return {
      ...{ name, target, stats: this.engine.stats(), dirtyReleases: 0, lintFindings: 0 },
      ...{ topology: null, preparing: null, budget: null, fleet: null },
    }
  }

  /** Of the registry: a pool is closed as a whole. */
  close(drainMillis: number): Promise<void> {
    return this.#options.close(drainMillis)
  }

  async drain(millis: number | undefined): Promise<void> {
    await this.engine.drain(millis)
    this.#unregister?.()
    // Whoever asks afterwards does not enter it again.
    this.#unregister = () => {}
  }

  #mayShare(): boolean {
    return this.#options.spec.role === 'reader' && !this.engine.closed && this.engine.counts.waiting === 0
  }

  #enter(): void {
    this.#unregister = registerPool(this)
  }

  #warn(message: string): void {
    this.engine.emit({ type: 'warning', message })
    if (!this.#options.onEvent) process.emitWarning(`pool "${this.#options.name}": ${message}`, 'PoolguardWarning')
  }
}
