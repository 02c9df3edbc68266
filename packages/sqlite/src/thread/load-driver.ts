import type { DriverName } from '../protocol.ts'
import { loadBetterSqlite3 } from './better-sqlite3.ts'
import { loadNodeSqlite } from './node-sqlite.ts'
import type { SqliteDriver } from './sqlite-driver.ts'

const LOADERS: Readonly<Record<DriverName, () => Promise<SqliteDriver>>> = {
  'better-sqlite3': loadBetterSqlite3,
  'node:sqlite': loadNodeSqlite,
}

/** A driver, and a warning about the choice. */
export interface LoadedDriver {
  readonly driver: SqliteDriver
  readonly warning: string | undefined
}

/** Loads the requested driver, or the first available one. */
export async function loadDriver(wanted: DriverName | 'auto'): Promise<LoadedDriver> {
  const names = wanted === 'auto' ? (Object.keys(LOADERS) as DriverName[]) : [wanted]
  const failures: { name: DriverName; error: unknown }[] = []
  for (const name of names) {
    try {
      const driver = await LOADERS[name]()
      return { driver, warning: warningOf(failures) }
    } catch (error) {
      failures.push({ name, error })
    }
  }
  const reasons = failures.map(({ name, error }) => `${name}: ${reasonOf(error)}`).join('; ')
  throw new Error(
    `no SQLite driver (${reasons}). Install better-sqlite3 (npm install better-sqlite3), which needs Node 22.14 or later, or run Node 22.16 or later, which includes node:sqlite.`,
  )
}

/** Warns about a driver that is installed but fails to load, not about one that is missing. */
function warningOf(failures: readonly { name: DriverName; error: unknown }[]): string | undefined {
  const broken = failures.find(({ error }) => !isMissing(error))
  return (
    broken &&
    `${broken.name} is installed, but fails to load (${reasonOf(broken.error)}). The pool uses node:sqlite instead.`
  )
}

function isMissing(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return code === 'ERR_MODULE_NOT_FOUND' || code === 'ERR_UNKNOWN_BUILTIN_MODULE'
}

function reasonOf(error: unknown): string {
  if (isMissing(error)) return 'not installed'
  return error instanceof Error ? (error.message.split('\n', 1)[0] ?? error.name) : String(error)
}
