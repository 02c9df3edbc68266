import { type LateQuery, type Lease, systemClock } from '@poolguard/core/adapter'
import type { SqliteConnection } from '../connection/sqlite-connection.ts'
import { TransactionOverError } from '../errors.ts'
import { OpenTransaction, type SqliteTransaction } from './sqlite-transaction.ts'

export interface TransactionSettings {
  /** How it begins. */
  readonly statement: string
  /** After so long without activity it is rolled back. */
  readonly idleMillis: number
  /** Told of queries that are sent after its end. */
  readonly reportLate: (query: LateQuery) => void
}

/**
 * Runs a transaction on a leased connection: commits when the work has ended, rolls back when it fails, or when nothing is
 * done on it for too long, whether the work ever ends or not.
 */
export async function runTransaction<T>(
  lease: Lease<SqliteConnection>,
  work: (transaction: SqliteTransaction) => Promise<T> | T,
  { statement, idleMillis, reportLate }: TransactionSettings,
): Promise<T> {
  const connection = lease.resource
  const queriedLate = (stack: string | null) => {
    if (!lease.active) reportLate({ stack, rejected: true })
  }
  const transaction = await OpenTransaction.begin(connection, statement, queriedLate)
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

/** A connection is looked at so many times within the time that it may be idle for. */
const LOOKS = 4

/** Rejects when nothing has been done on a connection for so long. */
function watchActivity(connection: SqliteConnection, idleMillis: number): { idle: Promise<never>; stop: () => void } {
  const { promise: idle, reject } = Promise.withResolvers<never>()
  let activity = connection.activity
  let quietSince = systemClock.now()
  const look = () => {
    const before = activity
    activity = connection.activity
    const now = systemClock.now()
    if (connection.runningQuery || activity !== before) quietSince = now
    else if (now - quietSince >= idleMillis) return reject(idleError(idleMillis))
    lookAgain()
  }
  let stop = () => {}
  const lookAgain = () => {
    stop = systemClock.after(idleMillis / LOOKS, look, { background: true })
  }
  lookAgain()
  return { idle, stop: () => stop() }
}

function idleError(idleMillis: number): Error {
  return new TransactionOverError(
    `The transaction was rolled back: nothing was done in it for ${idleMillis} ms (idleInTransactionMillis). While one is open ` +
      'nobody else can write, or the WAL cannot be written back. Do what takes long before or after it.',
  )
}
