import {
  AlreadyReleasedError,
  LateQueryReporter,
  type Lease,
  type Pool,
  type QueryAfterReleaseError,
} from '../pool/index.ts'
import { PoolTransactionCheck } from '../statements/index.ts'
import type { PoolguardOptions } from './options/poolguard-options.ts'

const LEFT_IN_TRANSACTION =
  'A caller released a connection with an open transaction; poolguard rolled it back. Await COMMIT or ROLLBACK before the release, also after an error. ' +
  'If you began the transaction with a query on the pool (pool.query, dataSource.query, $executeRaw), the statements that followed were not ' +
  'part of it: use the transaction API of the driver or ORM. snapshot().dirtyReleases counts later cases, and onEvent is called for each.'

/** Reports what callers do wrong with the connections of a pool. */
export class CallerMistakes<C extends object> {
  /** Finds transactions that callers begin through the pool itself. */
  readonly transactions: PoolTransactionCheck
  readonly lateQueries: LateQueryReporter<C>
  readonly #engine: Pool<C>
  readonly #options: PoolguardOptions
  #dirtyReleases = 0

  constructor(engine: Pool<C>, options: PoolguardOptions, warn: (message: string) => void) {
    this.#engine = engine
    this.#options = options
    this.transactions = new PoolTransactionCheck(options.sessionState ?? 'warn', warn)
    this.lateQueries = new LateQueryReporter(engine, { warnsProcess: !options.onEvent })
  }

  /** How often a caller has released a connection with an open transaction. */
  get dirtyReleases(): number {
    return this.#dirtyReleases
  }

  /** Drivers call this when a caller has released a connection with an open transaction. */
  leftInTransaction(): void {
    this.#dirtyReleases++
    this.#engine.emit({ type: 'dirty-release' })
    if (this.#options.onEvent || this.#dirtyReleases > 1) return
    const message = `pool "${this.#engine.name}": ${LEFT_IN_TRANSACTION}`
    process.emitWarning(message, 'PoolguardWarning')
  }

  /** The error for a caller that has released a checkout a second time. */
  releasedTwice(lease: Lease<C>, driverMessage: string): AlreadyReleasedError {
    const engine = this.#engine
    return new AlreadyReleasedError(driverMessage, engine.name, engine.endedCheckout(lease))
  }

  /**
   * Drivers call this when a caller has sent a query on a checkout that has ended.
   *
   * @param stack the call site of the query.
   * @returns the error to reject the query with; undefined to run it.
   */
  queriedAfterRelease(lease: Lease<C>, stack: string | null): QueryAfterReleaseError | undefined {
    const rejected = this.#options.queryAfterRelease === 'reject'
    const error = this.lateQueries.report(lease, { stack, rejected })
    return rejected ? error : undefined
  }
}
