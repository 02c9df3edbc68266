import type {
  ObservedPool,
  PoolCallers,
  PoolCounts,
  PoolEventListener,
  PoolSettings,
  PoolSnapshot,
} from '@poolguard/core'
import { LateQueryReporter, type Lease, Pool, PoolRegistration, systemClock } from '@poolguard/core/adapter'
import {
  ConnectionFactory,
  type ConnectionFactoryOptions,
  classifyOpenFailure,
} from '../connection/connection-factory.ts'
import type { SqliteConnection } from '../connection/sqlite-connection.ts'
import { isQuick, type ReadGate } from '../wal/read-gate.ts'
import type { WalLimiter } from '../wal/wal-limiter.ts'
import { Turns } from './turns.ts'

export interface PoolSideOptions extends Omit<ConnectionFactoryOptions, 'warn'> {
  /** The file's path. */
  readonly target: string
  readonly settings: PoolSettings
  readonly onEvent: PoolEventListener | undefined
  /** Undefined for an in-memory database, which has no WAL. */
  readonly walLimiter: WalLimiter | undefined
  /** Closes the whole pool, both sides. */
  readonly close: (drainMillis: number) => Promise<void>
}

/** The readers or the writer of a pool: an engine, registered in the process as an observed pool. */
export class PoolSide implements ObservedPool {
  readonly engine: Pool<SqliteConnection>
  /** Runs single statements. */
  readonly turns: Turns
  readonly lateQueries: LateQueryReporter<SqliteConnection>
  readonly #options: PoolSideOptions
  readonly #registration: PoolRegistration

  constructor(options: PoolSideOptions) {
    const { name, settings, onEvent } = options
    this.#options = options
    this.#registration = new PoolRegistration(this, {
      name,
      emit: (event) => this.engine.emit(event),
      hasListener: Boolean(onEvent),
    })
    this.engine = new Pool({
      name,
      settings,
      factory: new ConnectionFactory({ ...options, warn: (message) => this.warn(message) }),
      classify: classifyOpenFailure,
      onEvent,
    })
    this.lateQueries = new LateQueryReporter(this.engine, { warnsProcess: !onEvent })
    const { engine } = this
    this.turns = new Turns({
      acquire: (expectedMillis) => this.acquire(expectedMillis),
      get capturesStacks() {
        return engine.capturesStacks
      },
      repeatable: options.spec.role === 'reader',
      mayShare: () => this.#mayShare(),
    })
    this.engine.start()
    if (settings.min > 0) this.#registration.enter()
  }

  /**
   * Acquires a connection. Throws as {@link Pool.acquire} does.
   *
   * @param expectedMillis how long the statements take: undefined if that is unknown, Infinity if the caller says when to end.
   */
  acquire(expectedMillis: number | undefined): Promise<Lease<SqliteConnection>> {
    this.#registration.enter()
    const { walLimiter, spec } = this.#options
    walLimiter?.noticeUse()
    if (!walLimiter || spec.role === 'writer' || isQuick(expectedMillis)) return this.engine.acquire()
    return this.#acquireThrough(walLimiter.gate, expectedMillis)
  }

  async #acquireThrough(gate: ReadGate, expectedMillis: number | undefined): Promise<Lease<SqliteConnection>> {
    let timeoutMillis: number | undefined
    if (gate.holds(expectedMillis)) {
      const since = systemClock.now()
      await gate.opened
      // The time at the gate counts towards the acquire timeout.
      timeoutMillis = Math.max(0, this.engine.settings.acquireTimeoutMillis - (systemClock.now() - since))
    }
    const lease = await this.engine.acquire({ timeoutMillis })
    gate.started(lease, expectedMillis)
    return lease
  }

  callers(limit: number): PoolCallers {
    return this.engine.callers(limit, () => ({ inTransaction: false, lastStatement: null }))
  }

  get counts(): PoolCounts {
    return this.engine.counts
  }

  snapshot(): PoolSnapshot {
    const { name, target, spec, walLimiter } = this.#options
    return {
      ...{ name, target, stats: this.engine.stats(), dirtyReleases: 0, sessionStateFindings: 0 },
      ...{ topology: null, preparing: null, budget: null, fleet: null },
      wal: spec.role === 'writer' ? walLimiter?.snapshot() : undefined,
    }
  }

  /** Called by the registry of pools: closes the whole pool. */
  close(drainMillis: number): Promise<void> {
    return this.#options.close(drainMillis)
  }

  async drain(millis: number | undefined): Promise<void> {
    await this.engine.drain(millis)
    this.#registration.leave()
  }

  #mayShare(): boolean {
    return this.#options.spec.role === 'reader' && !this.engine.closed && this.engine.counts.waiting === 0
  }

  /** Emits a warning event or, without a listener, a process warning. */
  warn(message: string): void {
    this.#registration.warn(message)
  }
}
