import { type LateQuery, type Lease, systemClock } from '@poolguard/core/adapter'
import type { SqliteConnection } from '../connection/sqlite-connection.ts'
import { TransactionOverError } from '../errors.ts'
import { OpenTransaction, type SqliteTransaction } from './sqlite-transaction.ts'

export interface TransactionSettings {
  /** The statement that begins the transaction. */
  readonly statement: string
  /** The transaction is rolled back after this long without activity. */
  readonly idleMillis: number
  /** Called for queries that are sent after the end of the transaction. */
  readonly reportLate: (query: LateQuery) => void
}

/**
 * Runs a transaction on a leased connection: commits when `work` resolves, and rolls back when `work` rejects or when the transaction
 * is idle for too long, even if `work` never settles.
 */
export async function runTransaction<T>(
  lease: Lease<SqliteConnection>,
  work: (transaction: SqliteTransaction) => Promise<T> | T,
  { statement, idleMillis, reportLate }: TransactionSettings,
): Promise<T> {
  const connection = lease.resource
  const onLateQuery = (stack: string | null) => {
    if (!lease.active) reportLate({ stack, rejected: true })
  }
  const transaction = await OpenTransaction.begin(connection, statement, onLateQuery)
  const watch = watchActivity(connection, idleMillis)
  try {
    const result = await Promise.race([watch.idle, Promise.resolve(transaction).then(work)])
    await transaction.commit()
    return result
  } catch (error) {
    await transaction.rollBack()
    throw error
  } finally {
    watch.stop()
  }
}

/** The number of activity checks within `idleMillis`. */
const CHECKS_PER_TIMEOUT = 4

/** Rejects when the connection has been idle for `idleMillis`. */
function watchActivity(connection: SqliteConnection, idleMillis: number): { idle: Promise<never>; stop: () => void } {
  const { promise: idle, reject } = Promise.withResolvers<never>()
  let activity = connection.activity
  let quietSince = systemClock.now()
  const check = () => {
    const before = activity
    activity = connection.activity
    const now = systemClock.now()
    if (connection.runningQuery || activity !== before) quietSince = now
    else if (now - quietSince >= idleMillis) return reject(idleError(idleMillis))
    scheduleCheck()
  }
  let stop = () => {}
  const scheduleCheck = () => {
    stop = systemClock.after(idleMillis / CHECKS_PER_TIMEOUT, check, { background: true })
  }
  scheduleCheck()
  return { idle, stop: () => stop() }
}

function idleError(idleMillis: number): Error {
  return new TransactionOverError(
    `The transaction was rolled back because it was idle for ${idleMillis} ms (idleInTransactionMillis). An open transaction blocks ` +
      'other writes, or the checkpoint of the WAL. Move slow work before or after the transaction.',
  )
}
