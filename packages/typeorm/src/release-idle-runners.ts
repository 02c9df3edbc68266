import { systemClock } from '@poolguard/core/adapter'
import type { QueryRunner } from 'typeorm'
import type { PostgresDriver } from './postgres-driver.ts'

/** A query runner that is idle at two checks in a row is unused: less time passes between two queries of one call. */
const CHECK_INTERVAL_MILLIS = 50

/** The part of pg's client used here. */
interface Client {
  readonly readyForQuery?: boolean
  readonly connection?: { readonly stream: { readonly bytesWritten?: number } }
}

/**
 * Releases connected query runners that have no running query and no open transaction, so that `destroy()` does not wait for runners
 * that were never released.
 *
 * @returns a function that stops the checks.
 */
export function releaseIdleRunners(driver: PostgresDriver): () => void {
  let idle = new Map<QueryRunner, number>()
  let cancel = () => {}
  const check = () => {
    const before = idle
    idle = new Map()
    for (const runner of [...driver.connectedQueryRunners]) {
      const sent = bytesSentWhenIdle(runner)
      if (sent === undefined) continue
      if (before.get(runner) === sent) void runner.release()
      else idle.set(runner, sent)
    }
    cancel = systemClock.after(CHECK_INTERVAL_MILLIS, check)
  }
  check()
  return () => cancel()
}

/** The bytes sent on the runner's connection so far; undefined while a query runs or a transaction is open. */
function bytesSentWhenIdle(runner: QueryRunner): number | undefined {
  const { databaseConnection } = runner as { databaseConnection?: Client }
  if (runner.isTransactionActive || !databaseConnection?.readyForQuery) return undefined
  return databaseConnection.connection?.stream.bytesWritten ?? 0
}
