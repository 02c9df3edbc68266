import type { GuardedPool } from '@poolguard/pg'

type Connect = () => Promise<{ readonly release: () => void }>

interface Transacting {
  transaction(...work: never[]): Promise<unknown>
}

/**
 * Releases the connection of a transaction whose BEGIN fails, which Drizzle up to 0.45 never does (drizzle-team/drizzle-orm#6023).
 * Drizzle calls `pool.connect` synchronously in `transaction`, so the connection acquired during that call belongs to it.
 */
export function releaseFailedTransactions(db: Transacting, pool: GuardedPool): void {
  const transaction = db.transaction.bind(db)
  db.transaction = async (...work) => {
    const { result, acquired } = watchConnect(pool, () => transaction(...work))
    try {
      return await result
    } catch (error) {
      releaseOnce(await acquired)
      throw error
    }
  }
}

/** Calls a function that synchronously acquires a connection from the pool, and returns that connection's `release`. */
function watchConnect<T>(pool: GuardedPool, call: () => T): { result: T; acquired: Promise<(() => void) | undefined> } {
  const own = Object.getOwnPropertyDescriptor(pool, 'connect')
  const connect = pool.connect.bind(pool) as Connect
  let acquired: Promise<(() => void) | undefined> = Promise.resolve(undefined)
  const watched: Connect = () => {
    const client = connect()
    // Read `release` now: the client of the next checkout has a different one.
    acquired = client.then(
      ({ release }) => release,
      () => undefined,
    )
    return client
  }
  Object.defineProperty(pool, 'connect', { value: watched, configurable: true, writable: true })
  try {
    return { result: call(), acquired }
  } finally {
    if (own) Object.defineProperty(pool, 'connect', own)
    else Reflect.deleteProperty(pool, 'connect')
  }
}

/** Ignores the error of a second release: Drizzle releases the connection of most failed transactions itself. */
function releaseOnce(release: (() => void) | undefined): void {
  try {
    release?.()
  } catch {
    // Drizzle had already released it.
  }
}
