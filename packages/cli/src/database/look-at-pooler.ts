import { InvalidAnswerError } from '@poolguard/core'
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

/**
 * Asks the console, where this user may; undefined where not, or where no PgBouncer is.
 *
 * @param onInvalid told where the console answers, but with what cannot be.
 */
export async function lookAtPooler(
  url: ConnectionString,
  onInvalid: (problem: string) => void,
): Promise<PoolerFacts | undefined> {
  try {
    await using console = await PgBouncerConsole.connect(url.href)
    // One at a time: the console takes no more.
    const version = await console.version()
    const config = await console.config()
    const databases = await console.databases()
    return withPlainTexts({ version, config, databases, pools: await console.pools() })
  } catch (error) {
    if (error instanceof InvalidAnswerError) onInvalid(error.problem)
    return undefined
  }
}
