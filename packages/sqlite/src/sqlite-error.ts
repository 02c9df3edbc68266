import type { ConnectionSpec, FailureReport } from './protocol.ts'

/** What SQLite has refused, with its own text and what to do about it. */
export class SqliteError extends Error {
  override readonly name = 'SqliteError'
  /** SQLite's name for it, the extended one where there is: `SQLITE_CONSTRAINT_UNIQUE`. Undefined where it is the driver's. */
  readonly code: string | undefined

  constructor({ message, code }: FailureReport, spec: ConnectionSpec) {
    const advice = adviceOn(code, spec)
    super(advice === undefined ? message : `${message}: ${advice}`)
    this.code = code
  }
}

function adviceOn(code: string | undefined, { role, busyTimeoutMillis }: ConnectionSpec): string | undefined {
  if (code === 'SQLITE_READONLY' && role === 'reader') return 'iterations and read-only transactions run on a reader.'
  switch (code?.split('_')[1]) {
    case 'BUSY':
    case 'LOCKED':
      return `another process has held the lock for longer than busyTimeoutMillis (${busyTimeoutMillis}). Nothing was changed; keep write transactions short, or look for what holds it.`
    case 'FULL':
      return 'the disk, or the most that the file may have, is full. Nothing of it was written; what was committed before stays.'
    case 'CORRUPT':
      return 'the file is damaged. Stop writing to it, keep a copy, and restore a backup, or recover what can be read with the command ".recover" of the sqlite3 shell.'
    case 'NOTADB':
      return 'the file is no SQLite database, or is encrypted.'
    case 'READONLY':
      return 'the process may not write to the file or to its folder, in which SQLite keeps the WAL beside it.'
    case 'CANTOPEN':
      return 'is the path right, does its folder exist, and may the process write to it? SQLite keeps the WAL beside the file.'
    case 'IOERR':
      return 'reading or writing the file has failed. What was committed before stays.'
    default:
      return undefined
  }
}
