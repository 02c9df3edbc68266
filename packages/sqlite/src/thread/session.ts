import type {
  Answer,
  ConnectionSpec,
  Done,
  FailureReport,
  Question,
  SqliteParameters,
  SqliteValue,
  Within,
} from '../protocol.ts'
import { checkpoint, openDatabase, setUp } from './open-database.ts'
import type { SqliteDatabase, SqliteDriver, SqliteStatement } from './sqlite-driver.ts'
import { type PreparedStatement, StatementCache } from './statement-cache.ts'

/** A cursor's batch ends at this number of rows, or at this size in characters and bytes. */
const ROWS_PER_BATCH = 256
const MAX_BATCH_SIZE = 64 * 1024

interface Cursor {
  readonly prepared: PreparedStatement
  readonly rows: IterableIterator<SqliteValue[]>
}

/** One connection, in its own thread: answers questions synchronously. */
export class Session {
  readonly #driver: SqliteDriver
  readonly #spec: ConnectionSpec
  readonly #answered: () => void
  readonly #database: SqliteDatabase
  readonly #statements: StatementCache
  readonly #cursors = new Map<number, Cursor>()
  /** Undefined for a reader, which changes nothing. */
  readonly #counts: SqliteStatement | undefined
  /** For readers only: on the writer, each statement commits on its own. */
  readonly #snapshot: { readonly begin: SqliteStatement; readonly end: SqliteStatement } | undefined
  /** Changes since the connection was opened. */
  #totalChanges = 0n

  /** @param answered is called after each answer, before the message with all answers is sent. */
  constructor(driver: SqliteDriver, spec: ConnectionSpec, answered: () => void) {
    this.#driver = driver
    this.#spec = spec
    this.#answered = answered
    this.#database = openDatabase(driver, spec)
    this.#statements = new StatementCache(this.#database, spec.maxPreparedStatements)
    const [begin, end] = [this.#database.prepare('BEGIN'), this.#database.prepare('COMMIT')]
    this.#snapshot = spec.role === 'reader' ? { begin, end } : undefined
    this.#counts = spec.role === 'writer' ? this.#database.prepare(COUNTS) : undefined
  }

  /**
   * Runs the reads of one message in one transaction: beginning and ending a transaction, with locks on the file, takes as long as
   * looking up a row.
   */
  answerAll(questions: readonly Question[]): Answer[] {
    const inOneTransaction =
      this.#snapshot && questions.length > 1 && questions.every(standsAlone) && !this.#database.inTransaction
    if (!inOneTransaction) return questions.map((question) => this.answer(question))
    this.#snapshot.begin.run([])
    try {
      return questions.map((question) => this.answer(question))
    } finally {
      // Some errors end the transaction.
      if (this.#database.inTransaction) this.#snapshot.end.run([])
    }
  }

  answer(question: Question): Answer {
    try {
      return this.#answer(question)
    } catch (error) {
      const inTransaction = question[0] !== 'close' && this.#database.inTransaction
      return { failure: reportFailure(this.#driver, error, inTransaction) }
    } finally {
      this.#answered()
    }
  }

  #answer(question: Question): Done {
    switch (question[0]) {
      case 'query':
        this.#require(question[1])
        return this.#query(question[2], question[3])
      case 'script':
        this.#require(question[1])
        this.#runScript(question[1], question[2])
        break
      case 'open cursor':
        this.#require(question[1])
        return this.#openCursor(question[2], question[3], question[4])
      case 'next':
        return this.#readBatch(question[1])
      case 'close cursor':
        this.#closeCursor(question[1])
        break
      case 'commit':
        this.#require('transaction')
        this.#closeCursors()
        this.#database.run('COMMIT')
        break
      case 'roll back':
        this.#closeCursors()
        if (this.#database.inTransaction) this.#database.run('ROLLBACK')
        break
      case 'set up':
        setUp(this.#database, this.#spec)
        break
      case 'checkpoint':
        return { ...NOTHING, values: [Number(checkpoint(this.#database, this.#spec).busy)] }
      case 'close':
        this.#close()
    }
    return NOTHING
  }

  /** Some errors end a transaction; its further statements would then be committed one by one. */
  #require(within: Within): void {
    if (within === 'transaction' && !this.#database.inTransaction) throw new Error('the transaction is over')
  }

  #query(sql: string, parameters: SqliteParameters): Done {
    const prepared = this.#statements.take(sql)
    const { statement, givesRows } = prepared
    const before = this.#totalChanges
    const began = performance.now()
    const values: SqliteValue[] = []
    if (givesRows) for (const row of statement.all(parameters)) this.#add(row, values)
    else statement.run(parameters)
    const millis = performance.now() - began
    if (!this.#counts) return { ...NOTHING, columns: columnsOf(prepared), values, millis }
    const [changes = 0n, lastInsertRowid = 0n] = this.#countChanges()
    return {
      columns: columnsOf(prepared),
      values,
      more: false,
      // changes() keeps the count of an earlier statement if this one changed nothing.
      changes: this.#totalChanges === before ? 0 : Number(changes),
      lastInsertRowid: this.#convertInteger(lastInsertRowid),
      millis,
    }
  }

  /** Reads SQLite's counts of changes and the last rowid. */
  #countChanges(): readonly bigint[] {
    const [counts = []] = (this.#counts?.all([]) ?? []) as bigint[][]
    this.#totalChanges = counts[2] ?? 0n
    return counts
  }

  /** Rolls back a transaction that the script left open: it would include the statements of later callers. */
  #runScript(within: Within, script: string): void {
    try {
      this.#database.run(script)
      const inTransaction = this.#database.inTransaction
      if (inTransaction === (within === 'transaction')) return
      throw new Error(
        inTransaction
          ? 'the script left a transaction open, which was rolled back: end it with COMMIT'
          : 'the script ended the transaction that it was part of',
      )
    } finally {
      if (within === 'anywhere' && this.#database.inTransaction) this.#database.run('ROLLBACK')
      this.#countChanges()
    }
  }

  #openCursor(sql: string, parameters: SqliteParameters, cursor: number): Done {
    const prepared = this.#statements.prepare(sql)
    if (!prepared.givesRows) throw new RangeError('This statement returns no rows to iterate over')
    this.#cursors.set(cursor, { prepared, rows: prepared.statement.iterate(parameters) })
    this.#database.whileIterating?.(true)
    return this.#readBatch(cursor)
  }

  #readBatch(id: number): Done {
    const cursor = this.#cursors.get(id)
    if (!cursor) throw new Error('the iteration is over')
    try {
      const values: SqliteValue[] = []
      let size = 0
      for (let rows = 0; rows < ROWS_PER_BATCH && size < MAX_BATCH_SIZE; rows++) {
        const { done, value } = cursor.rows.next()
        if (done) {
          this.#closeCursor(id)
          return { ...NOTHING, columns: columnsOf(cursor.prepared), values }
        }
        size += sizeOf(value)
        this.#add(value, values)
      }
      return { ...NOTHING, columns: columnsOf(cursor.prepared), values, more: true }
    } catch (error) {
      this.#closeCursor(id)
      throw error
    }
  }

  #closeCursor(id: number): void {
    this.#cursors.get(id)?.rows.return?.()
    this.#cursors.delete(id)
    if (this.#cursors.size === 0) this.#database.whileIterating?.(false)
  }

  /** An open cursor would keep its snapshot. */
  #closeCursors(): void {
    for (const cursor of this.#cursors.keys()) this.#closeCursor(cursor)
  }

  #add(row: readonly SqliteValue[], values: SqliteValue[]): void {
    for (const value of row) values.push(typeof value === 'bigint' ? this.#convertInteger(value) : value)
  }

  /** Converts to a number if that is exact, unless the option `integers` asks for bigints. */
  #convertInteger(value: bigint): number | bigint {
    if (this.#spec.integers === 'bigint') return value
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : value
  }

  #close(): void {
    this.#closeCursors()
    this.#statements.clear()
    try {
      if (this.#spec.role === 'writer' && !this.#database.inTransaction) checkpoint(this.#database, this.#spec)
    } finally {
      // Changes that are not in the file yet stay in the WAL, and the next connection reads them there.
      this.#database.close()
    }
  }
}

const NOTHING: Done = { columns: [], values: [], more: false, changes: 0, lastInsertRowid: 0, millis: 0 }

const COUNTS = 'SELECT changes(), last_insert_rowid(), total_changes()'

/** Whether the question belongs to no transaction and leaves nothing open. */
function standsAlone([kind, within]: Question): boolean {
  return kind === 'query' && within === 'anywhere'
}

function columnsOf({ columns, statement }: PreparedStatement): readonly string[] {
  return columns ?? statement.columns()
}

function sizeOf(row: readonly SqliteValue[]): number {
  let size = 0
  for (const value of row) {
    if (typeof value === 'string') size += value.length
    else if (value instanceof Uint8Array) size += value.byteLength
  }
  return size
}

export function reportFailure(driver: SqliteDriver | undefined, error: unknown, inTransaction: boolean): FailureReport {
  const message = error instanceof Error ? error.message : String(error)
  return { message, code: driver?.codeOf(error), inTransaction }
}
