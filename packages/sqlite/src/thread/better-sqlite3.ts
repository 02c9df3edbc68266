import type { SqliteValue } from '../protocol.ts'
import { bindable, type SqliteDatabase, type SqliteDriver, type SqliteStatement } from './sqlite-driver.ts'

/** The part of better-sqlite3 used here. */
interface BetterStatement {
  readonly reader: boolean
  raw(on: boolean): this
  safeIntegers(on: boolean): this
  columns(): { readonly name: string }[]
  all(...parameters: unknown[]): SqliteValue[][]
  iterate(...parameters: unknown[]): IterableIterator<SqliteValue[]>
  run(...parameters: unknown[]): unknown
}

interface BetterDatabase {
  readonly inTransaction: boolean
  prepare(sql: string): BetterStatement
  exec(script: string): unknown
  unsafeMode(on: boolean): unknown
  close(): unknown
}

type BetterSqlite3 = new (path: string, options?: { readonly: boolean; timeout: number }) => BetterDatabase

/** The binary of better-sqlite3 needs Node-API 10 from version 13 on. Node 22.12 and 22.13 have 9, and crash on it. */
const MIN_NODE_API = 10
const FIRST_WITH_NODE_API = 13

/** Loads better-sqlite3 and its binary. */
export async function loadBetterSqlite3(): Promise<SqliteDriver> {
  // A variable, so that TypeScript and bundlers do not resolve the optional package.
  const name: string = 'better-sqlite3'
  await requireNodeApi(name)
  const { default: Database } = (await import(name)) as { default: BetterSqlite3 }
  // better-sqlite3 loads its binary with the first database.
  new Database(':memory:').close()
  return {
    name: 'better-sqlite3',
    open: (path, { readOnly, busyTimeoutMillis }) =>
      wrap(new Database(path, { readonly: readOnly, timeout: busyTimeoutMillis })),
    codeOf: (error) => {
      const { code } = error as { code?: unknown }
      return typeof code === 'string' && code.startsWith('SQLITE_') ? code : undefined
    },
  }
}

/** Throws before loading a binary that would crash the process. */
async function requireNodeApi(name: string): Promise<void> {
  const manifest = (await import(`${name}/package.json`, { with: { type: 'json' } })) as {
    default: { version: string }
  }
  const { version } = manifest.default
  if (Number.parseInt(version, 10) < FIRST_WITH_NODE_API || Number(process.versions.napi) >= MIN_NODE_API) return
  throw new Error(`version ${version} needs Node 22.14 or later, but this is Node ${process.versions.node}`)
}

function wrap(database: BetterDatabase): SqliteDatabase {
  return {
    get inTransaction() {
      return database.inTransaction
    },
    prepare: (sql) => wrapStatement(database.prepare(sql)),
    run: (script) => database.exec(script),
    // Without unsafe mode, better-sqlite3 rejects writes during an iteration; SQLite allows them.
    whileIterating: (on) => database.unsafeMode(on),
    close: () => database.close(),
  }
}

function wrapStatement(statement: BetterStatement): SqliteStatement {
  if (!statement.reader) {
    const run = (...[parameters]: Parameters<SqliteStatement['run']>) => {
      statement.run(...bindable(parameters))
    }
    return { columns: () => [], all: () => [], iterate: () => [][Symbol.iterator](), run }
  }
  statement.raw(true).safeIntegers(true)
  return {
    columns: () => statement.columns().map(({ name }) => name),
    all: (parameters) => statement.all(...bindable(parameters)),
    iterate: (parameters) => statement.iterate(...bindable(parameters)),
    run: () => {},
  }
}
