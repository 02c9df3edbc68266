import {
  HealthMonitor,
  PoolClosedError,
  type PoolStats,
  type ProcessHealth,
  withDeadlockDetection,
} from '@poolguard/core'
import { asyncContextIsCheap, type Lease, RecentKeys, registerOwnCode, systemClock } from '@poolguard/core/adapter'
import type { SqliteConnection } from './connection/sqlite-connection.ts'
import { StatementRefusedError, withCallersStack } from './errors.ts'
import { PoolSide } from './pool/pool-side.ts'
import type { Done, Question, Role, SqliteParameters, SqliteValue } from './protocol.ts'
import { readOptions, type SqliteOptions, type SqliteSpec } from './sqlite-options.ts'
import { iterateRows } from './statements/iterate-rows.ts'
import { readParameters, requireText } from './statements/parameters.ts'
import type { SqliteRow } from './statements/query-result.ts'
import { type QueryOptions, readResult, type SqliteResult } from './statements/query-result.ts'
import { firstWord, type StatementKind, sortStatement } from './statements/sort-statement.ts'
import { runTransaction } from './transactions/run-transaction.ts'
import { mayChangeConnection, type SqliteTransaction } from './transactions/sqlite-transaction.ts'
import { WalLimiter } from './wal/wal-limiter.ts'

registerOwnCode(new Error(), 'sqlite')

/** What a pool has done so far, and what it holds now. */
export interface SqliteStats {
  readonly name: string
  /** The database's path. */
  readonly file: string
  readonly readers: PoolStats
  /** The same figures as the readers' for a database in memory, whose only connection does both. */
  readonly writer: PoolStats
}

export interface TransactionOptions {
  /** Reads one state of the database through all of it, on a reader, beside whoever writes. Default: false. */
  readonly readOnly?: boolean | undefined
}

/** What is known of a text. */
interface KnownText {
  kind: StatementKind
  /** How long it took when it ran last. */
  millis: number | undefined
}

const MAX_TEXTS = 2_000

/**
 * SQLite for a service: one writer and several readers, each in a thread of its own, so that a long query does not stop the
 * event loop. Reads go to the readers, writes queue for the writer. Nothing is opened until it is used.
 *
 * @throws {InvalidOptionError} names the option and the value.
 * @example
 * const pool = new SqlitePool({ file: 'app.db' })
 * const { rows } = await pool.query('select * from users where id = ?', [42])
 */
export class SqlitePool {
  readonly #spec: SqliteSpec
  readonly #writer: PoolSide
  /** The writer itself for a database in memory. */
  readonly #readers: PoolSide
  /** Undefined for a database in memory, which has no WAL. */
  readonly #walLimiter: WalLimiter | undefined
  readonly #texts = new RecentKeys<string, KnownText>(MAX_TEXTS)
  readonly #monitor: HealthMonitor
  #closing: Promise<void> | undefined

  constructor(options: SqliteOptions) {
    this.#spec = readOptions(options)
    const { inMemory } = this.#spec.file
    this.#walLimiter = inMemory ? undefined : this.#makeWalLimiter()
    this.#writer = this.#makeSide('writer')
    this.#readers = inMemory ? this.#writer : this.#makeSide('reader')
    const sides = [...new Set([this.#readers, this.#writer])]
    this.#monitor = new HealthMonitor({ pools: () => sides })
  }

  get name(): string {
    return this.#spec.name
  }

  /**
   * Runs one statement: a read on a reader, anything else on the writer, where it is committed by itself.
   *
   * @throws {SqliteError} where SQLite refuses; what waiting for a connection throws (`AcquireTimeoutError`...);
   * {@link ConnectionLostError} where the connection is lost under it; {@link StatementRefusedError} for a statement that
   * needs a connection of its own, such as `BEGIN`.
   * @example
   * const { lastInsertRowid } = await sqlite.query('insert into users (name) values (:name)', { name: 'Ada' })
   */
  query<Row = SqliteRow>(sql: string, parameters?: SqliteParameters): Promise<SqliteResult<Row>>
  query<Row = SqliteValue[]>(
    sql: string,
    parameters: SqliteParameters | undefined,
    options: QueryOptions & { readonly rowMode: 'array' },
  ): Promise<SqliteResult<Row>>
  query(sql: string, parameters?: SqliteParameters, options?: QueryOptions): Promise<SqliteResult<unknown>>
  async query(sql: string, parameters?: SqliteParameters, options?: QueryOptions): Promise<SqliteResult<never>> {
    this.#requireOpen()
    const known = this.#know(sql)
    const question: Question = ['query', 'anywhere', sql, readParameters(parameters)]
    const { kind } = known
    let done: Done
    try {
      done = await this.#send(question, known)
    } catch (error) {
      // A reader refuses a write before it has done anything.
      if (kind !== 'read' || (error as { code?: unknown }).code !== 'SQLITE_READONLY') throw withCallersStack(error)
      known.kind = 'write'
      try {
        done = await this.#send(question, known)
      } catch (failure) {
        throw withCallersStack(failure)
      }
    }
    known.millis = done.millis
    return readResult(done, options) as SqliteResult<never>
  }

  /**
   * Reads rows batch by batch, as the consumer uses them up. All of them are of one state of the database: a reader is
   * kept until the last row, or until the loop is left.
   *
   * @throws what {@link SqlitePool.query} throws.
   * @example
   * for await (const order of sqlite.iterate('select * from orders')) console.log(order)
   */
  async *iterate<Row = SqliteRow>(sql: string, parameters?: SqliteParameters): AsyncGenerator<Row, void, undefined> {
    this.#requireOpen()
    if (this.#know(sql).kind !== 'read') {
      throw new StatementRefusedError(
        'Only reads can be iterated over. For rows of a write use query, or a transaction.',
      )
    }
    const bound = readParameters(parameters)
    const lease = await this.#readers.acquire(Infinity)
    try {
      yield* iterateRows(lease.resource, 'anywhere', sql, bound) as AsyncGenerator<Row>
    } finally {
      lease.release()
    }
  }

  /**
   * Runs any number of statements without parameters on the writer, as a migration has them. What the script begins it has to
   * end.
   */
  async exec(script: string): Promise<void> {
    this.#requireOpen()
    requireText(script)
    await this.#onWriter((connection) => {
      if (mayChangeConnection(script)) connection.changed = true
      return connection.ask(['script', 'anywhere', script])
    })
  }

  /**
   * Runs a transaction: begins it (`BEGIN IMMEDIATE`) when the writer is free, commits when the work has ended, and rolls back
   * when it fails. Whatever belongs to it has to go through the handle that the work is given.
   *
   * @throws what the work throws, and what {@link SqlitePool.query} throws; {@link TransactionOverError} where nothing was done
   * in it for `idleInTransactionMillis`.
   * @example
   * await sqlite.transaction(async (tx) => {
   *   await tx.query('update accounts set balance = balance - ? where id = ?', [100, 1])
   *   await tx.query('update accounts set balance = balance + ? where id = ?', [100, 2])
   * })
   */
  async transaction<T>(
    work: (transaction: SqliteTransaction) => Promise<T> | T,
    { readOnly = false }: TransactionOptions = {},
  ): Promise<T> {
    this.#requireOpen()
    const side = readOnly ? this.#readers : this.#writer
    const settings = {
      statement: readOnly ? 'BEGIN' : 'BEGIN IMMEDIATE',
      idleMillis: this.#spec.idleInTransactionMillis,
    }
    const run = () =>
      withLease(side, (lease) =>
        runTransaction(lease, work, { ...settings, reportLate: (query) => side.lateQueries.report(lease, query) }),
      )
    return asyncContextIsCheap ? withDeadlockDetection(run) : run()
  }

  /**
   * Opens the database, so that what is wrong with it is told now. Nothing needs to wait for it.
   *
   * @throws {ConnectError} where it cannot be opened.
   */
  async ready(): Promise<void> {
    this.#requireOpen()
    await this.#onWriter(async () => {})
  }

  getStats(): SqliteStats {
    const { name, file } = this.#spec
    return { name, file: file.path, readers: this.#readers.engine.stats(), writer: this.#writer.engine.stats() }
  }

  /** Whether callers get the connections that they need, judged from call to call. */
  health(): ProcessHealth {
    return this.#monitor.check()
  }

  /** Whether it lends no more: `close()` was called, or every pool of the process was closed. */
  get closed(): boolean {
    return this.#closing !== undefined
  }

  /**
   * Closes the pool: takes nothing more, waits for what is under way, the readers first, and writes the WAL into the file.
   * Resolves when every thread has ended. Calling it again gives the same promise.
   *
   * @param drainMillis how long it waits; default: the setting `pool.drainMillis`.
   */
  close(drainMillis: number = this.#spec.writer.drainMillis): Promise<void> {
    this.#closing ??= this.#drain(drainMillis)
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #drain(millis: number): Promise<void> {
    const began = systemClock.now()
    // Statements that were asked for before it may be on their way still.
    await Promise.all([this.#readers.turns.taken(), this.#writer.turns.taken()])
    await this.#walLimiter?.stop()
    await this.#readers.drain(millis)
    // A snapshot that is read from keeps the WAL from being written back.
    await this.#writer.drain(Math.max(0, millis - (systemClock.now() - began)))
  }

  #makeWalLimiter(): WalLimiter {
    const { file, maxWalBytes, readers } = this.#spec
    return new WalLimiter({
      ...{ file: file.path, maxBytes: maxWalBytes, maxHoldMillis: readers.acquireTimeoutMillis / 2 },
      readers: () => this.#readers.engine,
      writer: () => this.#writer.engine,
      warn: (message) => this.#writer.warn(message),
    })
  }

  #makeSide(role: Role): PoolSide {
    const { name, file, connection, onEvent, ...settings } = this.#spec
    const suffix = role === 'writer' ? 'writer' : 'readers'
    return new PoolSide({
      name: file.inMemory ? name : `${name}.${suffix}`,
      target: file.path,
      spec: { ...connection, role },
      settings: role === 'writer' ? settings.writer : settings.readers,
      onEvent,
      walLimiter: this.#walLimiter,
      close: (drainMillis) => this.close(drainMillis),
    })
  }

  #know(sql: string): KnownText {
    requireText(sql)
    const known = this.#texts.get(sql)
    if (known) return known
    const fresh: KnownText = { kind: sortStatement(sql), millis: undefined }
    this.#texts.add(sql, fresh)
    return fresh
  }

  #send(question: Question, { kind, millis }: KnownText): Promise<Done> {
    switch (kind) {
      case 'read':
        return this.#readers.turns.ask(question, millis)
      case 'write':
        return this.#writer.turns.ask(question, millis)
      case 'pragma':
        return this.#onWriter((connection) => {
          connection.changed = true
          return connection.ask(question)
        })
      default:
        throw new StatementRefusedError(refusal(String(question[2]), kind))
    }
  }

  #onWriter<T>(work: (connection: SqliteConnection) => Promise<T>): Promise<T> {
    return withLease(this.#writer, ({ resource }) => work(resource))
  }

  #requireOpen(): void {
    if (this.#closing) throw new PoolClosedError(this.name)
  }
}

async function withLease<T>(side: PoolSide, work: (lease: Lease<SqliteConnection>) => Promise<T>): Promise<T> {
  const lease = await side.acquire(Infinity)
  try {
    return await work(lease)
  } finally {
    lease.release()
  }
}

function refusal(sql: string, kind: StatementKind): string {
  const what = `${firstWord(sql)} holds for one connection, and the next statement may have another one`
  return kind === 'attach'
    ? `${what}. Open the other file with a pool of its own.`
    : `${what}: use transaction(), which keeps one until its end.`
}
