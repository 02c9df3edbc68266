import type { GuardedPool } from '@poolguard/pg'

type Connect = () => Promise<{ readonly release: () => void }>

interface Transacting {
  transaction(...work: never[]): Promise<unknown>
}

/**
 * Up to 0.45 Drizzle forgets the connection of a transaction whose BEGIN fails (drizzle-team/drizzle-orm#6023): it is given
 * back here. Drizzle asks the pool for it before its `transaction` returns, so that what it gets meanwhile is that one.
 */
export function releaseFailedTransactions(db: Transacting, pool: GuardedPool): void {
  const transaction = db.transaction.bind(db)
  db.transaction = async (...work) => {
    const { result, borrowed } = watchConnect(pool, () => transaction(...work))
    try {
      return await result
    } catch (error) {
      releaseOnce(await borrowed)
      throw error
    }
  }
}

/** Calls something that asks a pool for a connection at once, and tells how to give that back. */
function watchConnect<T>(pool: GuardedPool, call: () => T): { result: T; borrowed: Promise<(() => void) | undefined> } {
  const own = Object.getOwnPropertyDescriptor(pool, 'connect')
  const connect = pool.connect.bind(pool) as Connect
  let borrowed: Promise<(() => void) | undefined> = Promise.resolve(undefined)
  const watched: Connect = () => {
    const client = connect()
    // Taken when it is lent: the next borrower's client has another one.
    borrowed = client.then(
      ({ release }) => release,
      () => undefined,
    )
    return client
  }
  Object.defineProperty(pool, 'connect', { value: watched, configurable: true, writable: true })
  try {
    return { result: call(), borrowed }
  } finally {
    if (own) Object.defineProperty(pool, 'connect', own)
    else Reflect.deleteProperty(pool, 'connect')
  }
}

/** A second release is an error, and most failed transactions have seen the first. */
function releaseOnce(release: (() => void) | undefined): void {
  try {
    release?.()
  } catch {
    // Drizzle had given it back.
  }
}
