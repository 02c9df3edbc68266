import { InvalidAnswerError } from '@poolguard/core'
import type { ConnectionString, PgBouncerDatabase, PgBouncerPool, PgBouncerSetting } from '@poolguard/core/postgres'
import { PgBouncerConsole } from '@poolguard/pg'
import { withPlainTexts } from '../output/printable.ts'

/** Answers of PgBouncer's console. */
export interface PoolerFacts {
  readonly version: string
  readonly config: ReadonlyMap<string, PgBouncerSetting>
  readonly databases: readonly PgBouncerDatabase[]
  readonly pools: readonly PgBouncerPool[]
}

/**
 * Reads PgBouncer's console; undefined if this user may not, or if there is no PgBouncer.
 *
 * @param onInvalid called with the problem if the console's answer is invalid.
 */
export async function readPoolerFacts(
  url: ConnectionString,
  onInvalid: (problem: string) => void,
): Promise<PoolerFacts | undefined> {
  try {
    await using console = await PgBouncerConsole.connect(url.href)
    // The console accepts one command at a time.
    const version = await console.version()
    const config = await console.config()
    const databases = await console.databases()
    return withPlainTexts({ version, config, databases, pools: await console.pools() })
  } catch (error) {
    if (error instanceof InvalidAnswerError) onInvalid(error.problem)
    return undefined
  }
}
