import type { DatabaseSync } from 'node:sqlite'

export type Sqlite = DatabaseSync & Disposable

/** Opens a database with Node's own SQLite, so that the command line needs no driver. */
export async function openSqlite(path: string, { readOnly }: { readonly readOnly: boolean }): Promise<Sqlite> {
  const { DatabaseSync } = await withoutWarning(() => import('node:sqlite'))
  const database = new DatabaseSync(path, { readOnly })
  return Object.assign(database, { [Symbol.dispose]: () => database.close() })
}

/** Node 22 and 24 warn that SQLite is experimental, which tells users of a command nothing. */
async function withoutWarning<T>(load: () => Promise<T>): Promise<T> {
  const { emitWarning } = process
  process.emitWarning = (() => {}) as typeof emitWarning
  try {
    return await load()
  } finally {
    process.emitWarning = emitWarning
  }
}
