import type { ConnectionSpec, Synchronous } from '../protocol.ts'
import type { SqliteDatabase, SqliteDriver } from './sqlite-driver.ts'

/** As `PRAGMA synchronous` answers. */
const SYNCHRONOUS: Readonly<Record<Synchronous, number>> = { normal: 1, full: 2, extra: 3 }

/** An attempt to open waits no longer for a lock: the pool tries again, within its callers' deadlines. */
const OPEN_BUSY_MILLIS = 1_000

/** While a checkpoint waits for readers nobody can write. */
const CHECKPOINT_BUSY_MILLIS = 100

/** SQLite's own default. */
const MAX_PAGES_BEFORE_CHECKPOINT = 1_000
/** Of the size that the WAL may have before it has to be reset. */
const CHECKPOINT_SHARE = 0.5

/** Opens a connection as the pool wants it, and looks whether it is so. */
export function openDatabase(driver: SqliteDriver, spec: ConnectionSpec): SqliteDatabase {
  if (spec.role === 'reader') prepareFile(driver, spec)
  const database = open(driver, spec, spec.role === 'reader')
  try {
    setUp(database, spec)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** Sets what holds for a connection, and looks whether it does: SQLite passes over what it cannot set. */
export function setUp(database: SqliteDatabase, spec: ConnectionSpec): void {
  const { path, busyTimeoutMillis, synchronous, foreignKeys, role } = spec
  detachAll(database)
  const writesWal = role === 'writer' && path !== ':memory:'
  if (writesWal) requireWal(database)
  const wanted: readonly (readonly [name: string, value: number])[] = [
    ...(writesWal ? walSettings(database, spec) : []),
    ['busy_timeout', busyTimeoutMillis],
    ['synchronous', SYNCHRONOUS[synchronous]],
    ['foreign_keys', Number(foreignKeys)],
    // Keeps a reader from tables of its own, too.
    ['query_only', Number(role === 'reader')],
  ]
  for (const [name, value] of wanted) {
    database.run(`PRAGMA ${name} = ${value}`)
    const found = pragma(database, name)
    if (Number(found) !== value) throw new Error(`PRAGMA ${name} is ${String(found)} and could not be set to ${value}`)
  }
}

/** A page has 512 bytes to 64 KiB: by SQLite's default of 1,000 pages, the WAL of the largest ones would reach 64 MiB. */
function walSettings(
  database: SqliteDatabase,
  { walBytesToKeep }: ConnectionSpec,
): readonly (readonly [name: string, value: number])[] {
  const pages = Math.floor((walBytesToKeep * CHECKPOINT_SHARE) / Number(pragma(database, 'page_size')))
  return [
    ['journal_size_limit', Number.isFinite(walBytesToKeep) ? walBytesToKeep : -1],
    ['wal_autocheckpoint', Math.max(1, Math.min(pages, MAX_PAGES_BEFORE_CHECKPOINT))],
  ]
}

/** What somebody has attached was for what they did, and the next one may attach another file by its name. */
function detachAll(database: SqliteDatabase): void {
  for (const [, name] of database.prepare('PRAGMA database_list').all([])) {
    if (name !== 'main' && name !== 'temp') database.run(`DETACH "${String(name).replaceAll('"', '""')}"`)
  }
}

/** A reader cannot make a file, nor turn one to WAL. */
function prepareFile(driver: SqliteDriver, spec: ConnectionSpec): void {
  if (isInWal(driver, spec)) return
  openDatabase(driver, { ...spec, role: 'writer' }).close()
}

function open(driver: SqliteDriver, { path, busyTimeoutMillis }: ConnectionSpec, readOnly: boolean): SqliteDatabase {
  return driver.open(path, { readOnly, busyTimeoutMillis: Math.min(OPEN_BUSY_MILLIS, busyTimeoutMillis) })
}

function isInWal(driver: SqliteDriver, spec: ConnectionSpec): boolean {
  try {
    const database = open(driver, spec, true)
    try {
      return pragma(database, 'journal_mode') === 'wal'
    } finally {
      database.close()
    }
  } catch {
    // Why, a writer finds out.
    return false
  }
}

function requireWal(database: SqliteDatabase): void {
  const mode = pragma(database, 'journal_mode = WAL')
  if (mode !== 'wal') {
    throw new Error(
      `journal_mode stays ${String(mode)}: WAL needs a file system with shared memory, so none of a network`,
    )
  }
}

/**
 * Writes the WAL into the file and truncates it. Waits a moment for reads that use the WAL; if one goes on for longer, the rest
 * stays in the WAL.
 */
export function checkpoint(
  database: SqliteDatabase,
  { busyTimeoutMillis }: ConnectionSpec,
): { readonly busy: boolean } {
  database.run(`PRAGMA busy_timeout = ${CHECKPOINT_BUSY_MILLIS}`)
  try {
    return { busy: Number(pragma(database, 'wal_checkpoint(TRUNCATE)')) !== 0 }
  } finally {
    database.run(`PRAGMA busy_timeout = ${busyTimeoutMillis}`)
  }
}

function pragma(database: SqliteDatabase, text: string): unknown {
  return database.prepare(`PRAGMA ${text}`).all([])[0]?.[0]
}
