import type { ConnectionString, PgBouncerDatabase, PgBouncerPool, PgBouncerSetting } from '@poolguard/core/postgres'
import { PgBouncerConsole } from '@poolguard/pg'
import { withPlainTexts } from '../output/printable.ts'

/** What PgBouncer's console answers. */
export interface PoolerFacts {
  readonly version: string
  readonly config: ReadonlyMap<string, PgBouncerSetting>
  readonly databases: readonly PgBouncerDatabase[]
  readonly pools: readonly PgBouncerPool[]
}

/** Asks the console, where this user may; undefined where not, or where no PgBouncer is. */
export async function lookAtPooler(url: ConnectionString): Promise<PoolerFacts | undefined> {
  try {
    await using console = await PgBouncerConsole.connect(url.href)
    // One at a time: the console takes no more.
    const version = await console.version()
    const config = await console.config()
    const databases = await console.databases()
    return withPlainTexts({ version, config, databases, pools: await console.pools() })
  } catch {
    return undefined
  }
}
