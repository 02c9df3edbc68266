import type { ConnectionSpec, Synchronous } from '../protocol.ts'
import type { SqliteDatabase, SqliteDriver } from './sqlite-driver.ts'

/** The values of `PRAGMA synchronous`. */
const SYNCHRONOUS: Readonly<Record<Synchronous, number>> = { normal: 1, full: 2, extra: 3 }

/** An attempt to open waits at most this long for a lock: the pool retries within its callers' deadlines. */
const OPEN_BUSY_MILLIS = 1_000

/** How long a checkpoint waits for readers; writes are blocked meanwhile. */
const CHECKPOINT_BUSY_MILLIS = 100

/** SQLite's default. */
const MAX_PAGES_BEFORE_CHECKPOINT = 1_000
/** SQLite checkpoints at this share of the size at which the pool resets the WAL. */
const CHECKPOINT_SHARE = 0.5

/** Opens a connection and applies its settings. */
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

/** Applies a connection's settings and verifies them: SQLite silently ignores settings that it cannot apply. */
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
    // Also prevents temporary tables on a reader.
    ['query_only', Number(role === 'reader')],
  ]
  for (const [name, value] of wanted) {
    database.run(`PRAGMA ${name} = ${value}`)
    const found = pragma(database, name)
    if (Number(found) !== value) throw new Error(`PRAGMA ${name} is ${String(found)} and could not be set to ${value}`)
  }
}

/** Pages have 512 bytes to 64 KiB: with SQLite's default of 1,000 pages, a WAL of 64 KiB pages would reach 64 MiB. */
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

/** Detaches files that a caller attached: the next caller may attach another file with the same name. */
function detachAll(database: SqliteDatabase): void {
  for (const [, name] of database.prepare('PRAGMA database_list').all([])) {
    if (name !== 'main' && name !== 'temp') database.run(`DETACH "${String(name).replaceAll('"', '""')}"`)
  }
}

/** A reader can neither create a file nor switch it to WAL, so a writer does it first. */
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
    // The writer reports the reason.
    return false
  }
}

function requireWal(database: SqliteDatabase): void {
  const mode = pragma(database, 'journal_mode = WAL')
  if (mode !== 'wal') {
    throw new Error(
      `journal_mode stays ${String(mode)}: WAL needs shared memory, which network file systems do not support`,
    )
  }
}

/**
 * Writes the WAL into the file and truncates it. Waits briefly for reads that use the WAL; if a read takes longer, the rest stays in
 * the WAL.
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
