import { accessSync, constants, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { messageOf } from '../output/message-of.ts'
import { withPlainTexts } from '../output/printable.ts'
import { t } from '../output/translate.ts'
import { openSqlite, type Sqlite } from './open-sqlite.ts'

/** The result of one check, as `verify` prints it. */
export interface SqliteCheck {
  readonly name: string
  readonly status: 'passed' | 'failed' | 'skipped'
  readonly detail: string
}

/** What stops a check. The message says what to do. */
class Failed extends Error {}

/** A larger WAL means that no checkpoint could finish. */
const MAX_WAL_BYTES = 64 * 1_024 * 1_024
/** An app that holds the write lock longer makes others fail. */
const WRITE_LOCK_MILLIS = 5_000
/** How long the second writer waits. */
const BUSY_MILLIS = 200
const MAX_READERS = 20

/** Checks a SQLite database one check after the other; stops if it cannot be opened. It changes no data. */
export async function checkSqlite(
  path: string,
  { readers = 8 }: { readonly readers?: number } = {},
): Promise<readonly SqliteCheck[]> {
  const file = await attempt('file', () => checkFile(path))
  if (file.status === 'failed') return [file]
  const opened = await attempt('opened', async () => {
    using database = await openSqlite(path, { readOnly: true })
    const version = textOf(database, 'select sqlite_version()')
    const tables = textOf(database, "select count(*) from sqlite_schema where type = 'table'")
    return t`${tables} tables, read by SQLite ${version}`
  })
  if (opened.status === 'failed') return [file, opened]
  return [
    file,
    opened,
    await attempt('integrity', () => checkIntegrity(path)),
    await attempt('journal mode', () => checkJournal(path)),
    await attempt('WAL size', () => checkWalSize(path)),
    await attempt('writable', () => checkWritable(path)),
    await attempt('write lock', () => checkLocks(path, Math.min(readers, MAX_READERS))),
  ]
}

async function attempt(name: string, work: () => string | Promise<string>): Promise<SqliteCheck> {
  try {
    return { name, status: 'passed', detail: await work() }
  } catch (error) {
    return { name, status: 'failed', detail: withPlainTexts(messageOf(error)) }
  }
}

function checkFile(path: string): string {
  const status = statSync(path, { throwIfNoEntry: false })
  if (!status)
    throw new Failed(t`${path} does not exist. SQLite would create an empty database there: correct the path.`)
  if (!status.isFile()) throw new Failed(t`${path} is not a file.`)
  if (status.size === 0) throw new Failed(t`${path} is empty: the app has not created its tables there.`)
  return t`${path}, ${megabytes(status.size)} MB`
}

async function checkIntegrity(path: string): Promise<string> {
  using database = await openSqlite(path, { readOnly: true })
  const problems = database
    .prepare('pragma quick_check(3)')
    .all()
    .flatMap((row) => Object.values(row).map(String))
  if (problems.join() === 'ok') return t`quick_check found no problem`
  throw new Failed(
    t`quick_check: ${problems.join('; ')}. Restore a backup, or recover the data: sqlite3 <file> .recover`,
  )
}

async function checkJournal(path: string): Promise<string> {
  using database = await openSqlite(path, { readOnly: true })
  const mode = textOf(database, 'pragma journal_mode')
  if (mode === 'wal') return t`WAL: readers and the writer do not block each other`
  throw new Failed(
    t`journal_mode is ${mode}: readers block the writer, and the writer blocks readers. Run PRAGMA journal_mode = wal once; SqlitePool of @poolguard/sqlite sets it.`,
  )
}

function checkWalSize(path: string): string {
  const bytes = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0
  if (bytes <= MAX_WAL_BYTES) return t`${megabytes(bytes)} MB`
  throw new Failed(
    t`The WAL has ${megabytes(bytes)} MB: a reader that never ends keeps SQLite from resetting it. End long read transactions, then run PRAGMA wal_checkpoint(truncate).`,
  )
}

/** SQLite also creates files beside the database. */
async function checkWritable(path: string): Promise<string> {
  for (const each of [path, dirname(path)]) {
    try {
      accessSync(each, constants.W_OK)
    } catch {
      throw new Failed(t`This user may not write to ${each}: SQLite needs the file and its directory, for the journal.`)
    }
  }
  using database = await openSqlite(path, { readOnly: false })
  database.exec(`pragma busy_timeout = ${WRITE_LOCK_MILLIS}`)
  try {
    takeWriteLock(database)
  } catch (error) {
    throw new Failed(
      t`${(error as Error).message}: another process has held the write lock for more than ${WRITE_LOCK_MILLIS / 1_000} s. Keep write transactions short, and set busy_timeout in every connection.`,
    )
  }
  database.exec('rollback')
  return t`got the write lock and released it`
}

/** A second writer must wait and be rejected, and readers must not wait. Some network file systems have no locks. */
async function checkLocks(path: string, readers: number): Promise<string> {
  using writer = await openSqlite(path, { readOnly: false })
  writer.exec(`pragma busy_timeout = ${WRITE_LOCK_MILLIS}`)
  takeWriteLock(writer)
  using second = await openSqlite(path, { readOnly: false })
  second.exec(`pragma busy_timeout = ${BUSY_MILLIS}`)
  const began = performance.now()
  const isLocked = !canTakeWriteLock(second)
  const waited = performance.now() - began
  for (let n = 0; n < readers; n++) {
    using reader = await openSqlite(path, { readOnly: true })
    reader.prepare('select count(*) from sqlite_schema').get()
  }
  writer.exec('rollback')
  if (!isLocked) {
    throw new Failed(
      t`Two writers got the lock at the same time: the file system has no working locks (NFS, SMB). Move the file to a local disk.`,
    )
  }
  if (waited < BUSY_MILLIS / 2)
    throw new Failed(t`busy_timeout has no effect: the second writer failed without waiting.`)
  return t`a second writer waits for busy_timeout, and ${readers} readers read meanwhile`
}

function takeWriteLock(database: Sqlite): void {
  database.exec('begin immediate')
}

function canTakeWriteLock(database: Sqlite): boolean {
  try {
    takeWriteLock(database)
    database.exec('rollback')
    return true
  } catch {
    return false
  }
}

function textOf(database: Sqlite, query: string): string {
  return String(Object.values(database.prepare(query).get() ?? {})[0])
}

function megabytes(bytes: number): string {
  return (bytes / 1_048_576).toFixed(1)
}
