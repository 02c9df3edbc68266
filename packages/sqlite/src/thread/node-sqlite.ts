import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { SqliteValue } from '../protocol.ts'
import { readPlaceholders, requireAllGiven } from './placeholders.ts'
import { nameOfCode } from './result-codes.ts'
import { bindable, type SqliteDatabase, type SqliteDriver, type SqliteStatement } from './sqlite-driver.ts'

/** Loads node:sqlite. */
export async function loadNodeSqlite(): Promise<SqliteDriver> {
  const { DatabaseSync, StatementSync } = await import('node:sqlite')
  if (!('setReturnArrays' in StatementSync.prototype)) {
    throw new Error(`needs Node 22.16 or later to return rows as arrays, but this is Node ${process.versions.node}`)
  }
  return {
    name: 'node:sqlite',
    open: (path, { readOnly, busyTimeoutMillis }) =>
      wrap(new DatabaseSync(path, { readOnly, timeout: busyTimeoutMillis })),
    codeOf: (error) => {
      const { code, errcode } = error as { code?: unknown; errcode?: unknown }
      return code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? nameOfCode(errcode) : undefined
    },
  }
}

function wrap(database: DatabaseSync): SqliteDatabase {
  return {
    get inTransaction() {
      return database.isTransaction
    },
    prepare: (sql) => wrapStatement(prepareOne(database, sql), sql),
    run: (script) => database.exec(script),
    close: () => database.close(),
  }
}

/** A text without a statement. */
const NO_STATEMENT = /^(?:\s|;|--[^\n]*(?:\n|$)|\/\*(?:[^*]|\*(?!\/))*(?:\*\/|$))*$/

/** node:sqlite would run only the first of several statements and silently ignore the rest. */
function prepareOne(database: DatabaseSync, sql: string): StatementSync {
  const statement = database.prepare(sql)
  if (!NO_STATEMENT.test(sql.slice(statement.sourceSQL.length))) {
    throw new RangeError('The supplied SQL string contains more than one statement')
  }
  return statement
}

function wrapStatement(statement: StatementSync, sql: string): SqliteStatement {
  statement.setReadBigInts(true)
  statement.setReturnArrays(true)
  // As in better-sqlite3, an extra parameter is ignored, and a missing one is an error.
  statement.setAllowUnknownNamedParameters(true)
  const placeholders = readPlaceholders(sql)
  type Bound = Parameters<StatementSync['all']>
  const bound = (...[parameters]: Parameters<SqliteStatement['all']>) => {
    requireAllGiven(placeholders, parameters)
    return bindable(parameters) as Bound
  }
  return {
    columns: () => statement.columns().map(({ name }) => name),
    all: (parameters) => statement.all(...bound(parameters)) as unknown as SqliteValue[][],
    iterate: (parameters) => statement.iterate(...bound(parameters)) as unknown as IterableIterator<SqliteValue[]>,
    run: (parameters) => {
      statement.run(...bound(parameters))
    },
  }
}
