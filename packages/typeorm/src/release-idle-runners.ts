import { systemClock } from '@poolguard/core/adapter'
import type { QueryRunner } from 'typeorm'
import type { PostgresDriver } from './postgres-driver.ts'

/** A query runner that is idle at two looks in a row is in no one's hands: between two queries of one call less time passes. */
const LOOK_MILLIS = 50

/** What is used of pg's client. */
interface Client {
  readonly readyForQuery?: boolean
  readonly connection?: { readonly stream: { readonly bytesWritten?: number } }
}

/**
 * Releases query runners that were connected and never released, so that the end of a DataSource does not wait for them: those
 * on which no query runs and no transaction is open. TypeORM itself takes the connections of all.
 *
 * @returns ends it.
 */
export function releaseIdleRunners(driver: PostgresDriver): () => void {
  let idle = new Map<QueryRunner, number>()
  let cancel = () => {}
  const look = () => {
    const before = idle
    idle = new Map()
    for (const runner of [...driver.connectedQueryRunners]) {
      const sent = sentWhenIdle(runner)
      if (sent === undefined) continue
      if (before.get(runner) === sent) void runner.release()
      else idle.set(runner, sent)
    }
    cancel = systemClock.after(LOOK_MILLIS, look)
  }
  look()
  return () => cancel()
}

/** How much was sent on its connection so far; undefined where something is under way. */
function sentWhenIdle(runner: QueryRunner): number | undefined {
  const { databaseConnection } = runner as { databaseConnection?: Client }
  if (runner.isTransactionActive || !databaseConnection?.readyForQuery) return undefined
  return databaseConnection.connection?.stream.bytesWritten ?? 0
}
