import { captureStack } from '@poolguard/core/adapter'
import type { SqliteConnection } from '../connection/sqlite-connection.ts'
import { StatementRefusedError, TransactionOverError } from '../errors.ts'
import type { Done, SqliteParameters, SqliteValue } from '../protocol.ts'
import { iterateRows } from '../statements/iterate-rows.ts'
import { readParameters, requireText } from '../statements/parameters.ts'
import type { SqliteRow } from '../statements/query-result.ts'
import { type QueryOptions, readResult, type SqliteResult } from '../statements/query-result.ts'
import { firstWord, sortStatement } from '../statements/sort-statement.ts'

/** A transaction under way, all of it on one connection. */
export interface SqliteTransaction {
  /** Runs a statement in it. */
  query<Row = SqliteRow>(sql: string, parameters?: SqliteParameters): Promise<SqliteResult<Row>>
  query<Row = SqliteValue[]>(
    sql: string,
    parameters: SqliteParameters | undefined,
    options: QueryOptions & { readonly rowMode: 'array' },
  ): Promise<SqliteResult<Row>>
  query(sql: string, parameters?: SqliteParameters, options?: QueryOptions): Promise<SqliteResult<unknown>>
  /** Reads rows batch by batch. What is written to the same table meanwhile may or may not be among them. */
  iterate<Row = SqliteRow>(sql: string, parameters?: SqliteParameters): AsyncGenerator<Row, void, undefined>
  /** Runs any number of statements, without parameters. */
  exec(script: string): Promise<void>
  /**
   * A transaction within this one, which can be rolled back by itself: a savepoint. Several are run one after the other, so
   * one that is begun through the outer handle inside of an inner one waits for itself.
   */
  transaction<T>(work: (transaction: SqliteTransaction) => Promise<T> | T): Promise<T>
}

/** Told where a query was sent that came after the end. */
type QueriedLate = (stack: string | null) => void

/** A transaction, or one within it, as the pool runs it. */
export class OpenTransaction implements SqliteTransaction {
  readonly #connection: SqliteConnection
  readonly #outer: OpenTransaction | undefined
  readonly #depth: number
  readonly #queriedLate: QueriedLate
  #over: Error | undefined
  /** The inner transactions so far: savepoints form a stack, on which two side by side would undo each other. */
  #inner: Promise<unknown> = Promise.resolve()

  private constructor(connection: SqliteConnection, queriedLate: QueriedLate, outer?: OpenTransaction) {
    this.#connection = connection
    this.#queriedLate = queriedLate
    this.#outer = outer
    this.#depth = outer ? outer.#depth + 1 : 0
  }

  /** @param statement `BEGIN`, of whichever kind. */
  static async begin(
    connection: SqliteConnection,
    statement: string,
    queriedLate: QueriedLate,
  ): Promise<OpenTransaction> {
    await connection.ask(['query', 'anywhere', statement, []])
    const transaction = new OpenTransaction(connection, queriedLate)
    connection.onTransactionEnded = (cause) => transaction.end('SQLite has rolled it back', cause)
    return transaction
  }

  async commit(): Promise<void> {
    this.#requireOpen()
    await this.#connection.ask(['commit'])
    this.end('it was committed')
  }

  /** Where the connection is lost, so is what was done on it. */
  async rollBack(): Promise<void> {
    this.end('it was rolled back')
    await this.#connection.ask(['roll back']).catch(() => {})
  }

  /** From now on it refuses what it is asked. The first reason is kept. */
  end(reason: string, cause?: Error): void {
    this.#over ??= new TransactionOverError(`The transaction is over: ${reason}.`, { cause })
  }

  async query(sql: string, parameters?: SqliteParameters, options?: QueryOptions): Promise<SqliteResult<never>> {
    this.#notice(sql)
    return readResult(await this.#ask(sql, readParameters(parameters)), options) as SqliteResult<never>
  }

  async *iterate<Row = SqliteRow>(sql: string, parameters?: SqliteParameters): AsyncGenerator<Row, void, undefined> {
    this.#requireOpen()
    this.#notice(sql)
    yield* iterateRows(this.#connection, 'transaction', sql, readParameters(parameters)) as AsyncGenerator<Row>
  }

  async exec(script: string): Promise<void> {
    this.#requireOpen()
    requireText(script)
    if (mayChangeConnection(script)) this.#connection.changed = true
    await this.#connection.ask(['script', 'transaction', script])
  }

  transaction<T>(work: (transaction: SqliteTransaction) => Promise<T> | T): Promise<T> {
    const run = this.#inner.then(() => this.#runInner(work))
    this.#inner = run.catch(() => {})
    return run
  }

  async #runInner<T>(work: (transaction: SqliteTransaction) => Promise<T> | T): Promise<T> {
    const savepoint = `poolguard_${this.#depth}`
    await this.#ask(`SAVEPOINT ${savepoint}`)
    const inner = new OpenTransaction(this.#connection, this.#queriedLate, this)
    try {
      const result = await work(inner)
      await this.#ask(`RELEASE ${savepoint}`)
      return result
    } catch (error) {
      // Where all of the transaction is over, there is nothing left to go back to.
      await this.#ask(`ROLLBACK TO ${savepoint}`)
        .then(() => this.#ask(`RELEASE ${savepoint}`))
        .catch(() => {})
      throw error
    } finally {
      inner.end('the function that it was given to has ended')
    }
  }

  async #ask(sql: string, parameters: SqliteParameters = []): Promise<Done> {
    this.#requireOpen()
    return await this.#connection.ask(['query', 'transaction', sql, parameters])
  }

  #requireOpen(): void {
    if (this.#over) {
      this.#queriedLate(captureStack(this.#requireOpen))
      throw this.#over
    }
    if (this.#outer) this.#outer.#requireOpen()
  }

  /** What of a statement concerns the transaction itself, or the connection after it. */
  #notice(sql: string): void {
    requireText(sql)
    const kind = sortStatement(sql)
    if (kind === 'pragma' || kind === 'attach') this.#connection.changed = true
    if (kind !== 'transaction') return
    throw new StatementRefusedError(
      `${firstWord(sql)} inside of a transaction: it is committed when its function has ended, and rolled back when that throws.`,
    )
  }
}

/** Of a text with several statements. */
export function mayChangeConnection(script: string): boolean {
  return /\b(?:pragma|attach)\b/i.test(script)
}
