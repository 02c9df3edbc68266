import { captureStack } from '@poolguard/core/adapter'
import type { SqliteConnection } from '../connection/sqlite-connection.ts'
import { StatementRefusedError, TransactionOverError } from '../errors.ts'
import type { Done, SqliteParameters, SqliteValue } from '../protocol.ts'
import { iterateRows } from '../statements/iterate-rows.ts'
import { readParameters, requireText } from '../statements/parameters.ts'
import { type QueryOptions, readResult, type SqliteResult, type SqliteRow } from '../statements/query-result.ts'
import { firstWord, sortStatement } from '../statements/sort-statement.ts'

/** An open transaction on one connection. */
export interface SqliteTransaction {
  /** Runs a statement in the transaction. */
  query<Row = SqliteRow>(sql: string, parameters?: SqliteParameters): Promise<SqliteResult<Row>>
  query<Row = SqliteValue[]>(
    sql: string,
    parameters: SqliteParameters | undefined,
    options: QueryOptions & { readonly rowMode: 'array' },
  ): Promise<SqliteResult<Row>>
  query(sql: string, parameters?: SqliteParameters, options?: QueryOptions): Promise<SqliteResult<unknown>>
  /** Reads rows in batches. Rows written to the same table meanwhile may or may not be included. */
  iterate<Row = SqliteRow>(sql: string, parameters?: SqliteParameters): AsyncGenerator<Row, void, undefined>
  /** Runs any number of statements, without parameters. */
  exec(script: string): Promise<void>
  /**
   * Runs an inner transaction (a savepoint), which can be rolled back on its own. Inner transactions run one after the other, so
   * starting one through the outer handle inside another inner one waits for itself.
   */
  transaction<T>(work: (transaction: SqliteTransaction) => Promise<T> | T): Promise<T>
}

/** Called with the stack of a query that was sent after the end. */
type LateQueryListener = (stack: string | null) => void

/** The pool's implementation of a transaction and of its inner transactions. */
export class OpenTransaction implements SqliteTransaction {
  readonly #connection: SqliteConnection
  readonly #outer: OpenTransaction | undefined
  readonly #depth: number
  readonly #onLateQuery: LateQueryListener
  #endError: Error | undefined
  /** The last inner transaction: savepoints form a stack, so concurrent ones would undo each other. */
  #inner: Promise<unknown> = Promise.resolve()

  private constructor(connection: SqliteConnection, onLateQuery: LateQueryListener, outer?: OpenTransaction) {
    this.#connection = connection
    this.#onLateQuery = onLateQuery
    this.#outer = outer
    this.#depth = outer ? outer.#depth + 1 : 0
  }

  /** @param statement any form of `BEGIN`. */
  static async begin(
    connection: SqliteConnection,
    statement: string,
    onLateQuery: LateQueryListener,
  ): Promise<OpenTransaction> {
    await connection.ask(['query', 'anywhere', statement, []])
    const transaction = new OpenTransaction(connection, onLateQuery)
    connection.onTransactionEnded = (cause) => transaction.end('SQLite has rolled it back', cause)
    return transaction
  }

  async commit(): Promise<void> {
    this.#requireOpen()
    await this.#connection.ask(['commit'])
    this.end('it was committed')
  }

  /** Ignores errors: if the connection is lost, SQLite rolls back itself. */
  async rollBack(): Promise<void> {
    this.end('it was rolled back')
    await this.#connection.ask(['roll back']).catch(() => {})
  }

  /** Makes the transaction reject all further statements. The first reason is kept. */
  end(reason: string, cause?: Error): void {
    this.#endError ??= new TransactionOverError(`The transaction is over: ${reason}.`, { cause })
  }

  async query(sql: string, parameters?: SqliteParameters, options?: QueryOptions): Promise<SqliteResult<never>> {
    this.#checkStatement(sql)
    return readResult(await this.#ask(sql, readParameters(parameters)), options) as SqliteResult<never>
  }

  async *iterate<Row = SqliteRow>(sql: string, parameters?: SqliteParameters): AsyncGenerator<Row, void, undefined> {
    this.#requireOpen()
    this.#checkStatement(sql)
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
    const inner = new OpenTransaction(this.#connection, this.#onLateQuery, this)
    try {
      const result = await work(inner)
      await this.#ask(`RELEASE ${savepoint}`)
      return result
    } catch (error) {
      // If the whole transaction has ended, there is no savepoint left.
      await this.#ask(`ROLLBACK TO ${savepoint}`)
        .then(() => this.#ask(`RELEASE ${savepoint}`))
        .catch(() => {})
      throw error
    } finally {
      inner.end('its function has ended')
    }
  }

  async #ask(sql: string, parameters: SqliteParameters = []): Promise<Done> {
    this.#requireOpen()
    return await this.#connection.ask(['query', 'transaction', sql, parameters])
  }

  #requireOpen(): void {
    if (this.#endError) {
      this.#onLateQuery(captureStack(this.#requireOpen))
      throw this.#endError
    }
    if (this.#outer) this.#outer.#requireOpen()
  }

  /** Rejects statements that would end the transaction, and notes changes of the connection's settings. */
  #checkStatement(sql: string): void {
    requireText(sql)
    const kind = sortStatement(sql)
    if (kind === 'pragma' || kind === 'attach') this.#connection.changed = true
    if (kind !== 'transaction') return
    throw new StatementRefusedError(
      `${firstWord(sql)} is not allowed inside a transaction: the pool commits when the function has ended, and rolls back when the function throws.`,
    )
  }
}

/** Whether a script may change the connection's settings. */
export function mayChangeConnection(script: string): boolean {
  return /\b(?:pragma|attach)\b/i.test(script)
}
