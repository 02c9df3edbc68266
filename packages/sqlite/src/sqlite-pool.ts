import { HealthMonitor, type PoolStats, type ProcessHealth } from '@poolguard/core'
import {
  asyncContextIsCheap,
  type Lease,
  PoolClosedError,
  RecentKeys,
  registerOwnCode,
  systemClock,
  withDeadlockDetection,
} from '@poolguard/core/adapter'
import type { SqliteConnection } from './connection/sqlite-connection.ts'
import { StatementRefusedError, withCallersStack } from './errors.ts'
import { PoolSide } from './pool/pool-side.ts'
import type { Done, Question, Role, SqliteParameters, SqliteValue } from './protocol.ts'
import { readOptions, type SqliteOptions, type SqliteSpec } from './sqlite-options.ts'
import { iterateRows } from './statements/iterate-rows.ts'
import { readParameters, requireText } from './statements/parameters.ts'
import { type QueryOptions, readResult, type SqliteResult, type SqliteRow } from './statements/query-result.ts'
import { firstWord, type StatementKind, sortStatement } from './statements/sort-statement.ts'
import { runTransaction } from './transactions/run-transaction.ts'
import { mayChangeConnection, type SqliteTransaction } from './transactions/sqlite-transaction.ts'
import { WalLimiter } from './wal/wal-limiter.ts'

registerOwnCode(new Error(), 'sqlite')

/** The statistics of a pool's readers and writer. */
export interface SqliteStats {
  readonly name: string
  /** The database's path. */
  readonly file: string
  readonly readers: PoolStats
  /** Equal to `readers` for an in-memory database, whose only connection reads and writes. */
  readonly writer: PoolStats
}

export interface TransactionOptions {
  /** Run on a reader, on one snapshot of the database, concurrently with writes. Default: false. */
  readonly readOnly?: boolean | undefined
}

/** The properties of a statement's text. */
interface KnownText {
  kind: StatementKind
  /** The duration of its last run. */
  millis: number | undefined
}

const MAX_TEXTS = 2_000

/**
 * SQLite for a service: one writer and several readers, each in its own thread, so that a long query does not block the event loop.
 * Reads go to the readers, writes queue for the writer. Connections open on first use.
 *
 * @throws {InvalidOptionError} names the option and the value.
 * @example
 * const pool = new SqlitePool({ file: 'app.db' })
 * const { rows } = await pool.query('select * from users where id = ?', [42])
 */
export class SqlitePool {
  readonly #spec: SqliteSpec
  readonly #writer: PoolSide
  /** The same object as the writer for an in-memory database. */
  readonly #readers: PoolSide
  /** Undefined for an in-memory database, which has no WAL. */
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
   * Runs one statement: reads on a reader, all other statements on the writer, each in its own transaction.
   *
   * @throws {SqliteError} if SQLite fails; errors of acquiring a connection (`AcquireTimeoutError`...); {@link ConnectionLostError}
   * if the connection is lost while the statement runs; {@link StatementRefusedError} for a statement that needs a dedicated
   * connection, such as `BEGIN`.
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
    const known = this.#lookUp(sql)
    const question: Question = ['query', 'anywhere', sql, readParameters(parameters)]
    const { kind } = known
    let done: Done
    try {
      done = await this.#send(question, known)
    } catch (error) {
      // A reader rejects a write before it changes anything.
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
   * Reads rows in batches, as fast as the loop consumes them. All rows come from one snapshot of the database: the iteration holds a
   * reader until the last row, or until you leave the loop.
   *
   * @throws the errors of {@link SqlitePool.query}.
   * @example
   * for await (const order of sqlite.iterate('select * from orders')) console.log(order)
   */
  async *iterate<Row = SqliteRow>(sql: string, parameters?: SqliteParameters): AsyncGenerator<Row, void, undefined> {
    this.#requireOpen()
    if (this.#lookUp(sql).kind !== 'read') {
      throw new StatementRefusedError(
        'iterate() runs only reads. To get rows from a write, use query() or a transaction.',
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
   * Runs any number of statements without parameters on the writer, for example a migration. A script that begins a transaction must
   * end it.
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
   * Runs a transaction: begins it (`BEGIN IMMEDIATE`) when the writer is idle, commits when `work` resolves, and rolls back when `work`
   * rejects. Run the statements of the transaction through the handle that `work` receives.
   *
   * @throws the errors of `work` and of {@link SqlitePool.query}; {@link TransactionOverError} if the transaction was idle for
   * `idleInTransactionMillis`.
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
   * Opens the database, to detect problems early. Calling it is optional.
   *
   * @throws {ConnectError} if the database cannot be opened.
   */
  async ready(): Promise<void> {
    this.#requireOpen()
    await this.#onWriter(async () => {})
  }

  getStats(): SqliteStats {
    const { name, file } = this.#spec
    return { name, file: file.path, readers: this.#readers.engine.stats(), writer: this.#writer.engine.stats() }
  }

  /** The health of readers and writer, judged over the time between calls. */
  health(): ProcessHealth {
    return this.#monitor.check()
  }

  /** Whether the pool rejects new callers: `close()` was called, or all pools of the process were closed. */
  get closed(): boolean {
    return this.#closing !== undefined
  }

  /**
   * Closes the pool: rejects new callers, drains the readers and then the writer, and writes the WAL into the file. Resolves when every
   * thread has ended. Further calls return the same promise.
   *
   * @param drainMillis how long to wait for connections in use; default: the setting `pool.drainMillis`.
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
    // Statements that callers sent before close() may not have acquired a connection yet.
    await Promise.all([this.#readers.turns.sent(), this.#writer.turns.sent()])
    await this.#walLimiter?.stop()
    await this.#readers.drain(millis)
    // Readers first: a read snapshot prevents the checkpoint of the WAL.
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

  #lookUp(sql: string): KnownText {
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
  const reason = `${firstWord(sql)} affects one connection only, and the next statement may run on another`
  return kind === 'attach'
    ? `${reason}. Open the other file with its own pool.`
    : `${reason}: use transaction(), which holds one connection until its end.`
}
