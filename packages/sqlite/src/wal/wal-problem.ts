import { accessSync, constants } from 'node:fs'
import path from 'node:path'
import type { Pool } from '@poolguard/core/adapter'
import type { SqliteConnection } from '../connection/sqlite-connection.ts'

/** Why the WAL could not be reset. */
export type WalObstacle =
  /** A read of this process, or a transaction of this process that writes. */
  | { readonly kind: 'read' | 'write'; readonly pool: Pool<SqliteConnection> }
  | { readonly kind: 'another process' }
  | { readonly kind: 'not writable' }
  | { readonly kind: 'failed'; readonly error: unknown }

export interface WalSize {
  /** The database's path. */
  readonly file: string
  readonly bytes: number
  readonly maxBytes: number
}

/** The problem as an operator reads it: sizes, the reason, and the remedy. */
export function describeWalProblem({ file, bytes, maxBytes }: WalSize, obstacle: WalObstacle): string {
  const sizes = `The WAL of ${path.basename(file)} has ${inMegabytes(bytes)}, more than maxWalBytes (${inMegabytes(maxBytes)})`
  return `${sizes}, and cannot be reset: ${reasonFor(obstacle, file)}`
}

function reasonFor(obstacle: WalObstacle, file: string): string {
  switch (obstacle.kind) {
    case 'read':
      return (
        `a read on "${obstacle.pool.name}" ${ageOf(obstacle.pool)}, and SQLite keeps every write since its beginning until it ends. ` +
        `Leave the loop over iterate() or end the read-only transaction sooner, or read in smaller parts.${stackOf(obstacle.pool)}`
      )
    case 'write':
      return (
        `a transaction on "${obstacle.pool.name}" ${ageOf(obstacle.pool)}. ` +
        `Commit sooner, or write in smaller parts.${stackOf(obstacle.pool)}`
      )
    case 'another process':
      return (
        'another process, or another pool of this process, has a read transaction open. ' +
        `Find the process with "fuser ${file}-wal" (Linux), "lsof ${file}-wal" (macOS) or Resource Monitor (Windows: CPU, Associated Handles), ` +
        'and end its transaction.'
      )
    case 'not writable':
      return 'this process may not write to the file, so the process that writes to it has to run PRAGMA wal_checkpoint(TRUNCATE).'
    case 'failed':
      return `the checkpoint failed: ${obstacle.error instanceof Error ? obstacle.error.message : String(obstacle.error)}`
  }
}

function ageOf(pool: Pool<SqliteConnection>): string {
  const [oldest] = pool.leases()
  return oldest ? `has been open for ${(oldest.heldMillis / 1_000).toFixed(1)} s` : 'was open'
}

/** Where the oldest lease was acquired, on lines of its own; nothing if stacks are not captured. */
function stackOf(pool: Pool<SqliteConnection>): string {
  const [oldest] = pool.leases()
  return oldest?.stack ? ` It was acquired here:\n${oldest.stack}` : ''
}

function inMegabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}

/** Whether a checkpoint can write to the database: a process may be allowed to read only. */
export function isWritable(file: string): boolean {
  try {
    accessSync(file, constants.W_OK)
    accessSync(path.dirname(file), constants.W_OK)
    return true
  } catch {
    return false
  }
}
