import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import type { DriverName } from '../protocol.ts'
import type { SqliteOptions } from '../sqlite-options.ts'
import { SqlitePool } from '../sqlite-pool.ts'

export const DRIVERS: readonly DriverName[] = ['better-sqlite3', 'node:sqlite']

/** The path of a new database in a folder that is removed with the test. */
export function newDatabase(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'poolguard-sqlite-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  return path.join(folder, 'app.db')
}

/** Opens a pool that is closed with the test. */
export function openPool(options: Partial<SqliteOptions> = {}): SqlitePool {
  // On a busy machine a slow query takes longer than the default of 10 s.
  const pool = new SqlitePool({
    file: newDatabase(),
    ...options,
    pool: { acquireTimeoutMillis: 60_000, ...options.pool },
  })
  onTestFinished(() => pool.close(0))
  return pool
}

/** A query that occupies its connection for a while. */
export function longQuery(rows = 2_000_000): string {
  return `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows}) SELECT count(*) AS n FROM n`
}
