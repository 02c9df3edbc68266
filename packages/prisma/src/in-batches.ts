import { InvalidOptionError } from '@poolguard/core'
import { requireInteger } from '@poolguard/core/adapter'

/** What is needed of a PrismaClient, extended or not, of any version. */
export interface TransactingClient {
  $transaction(...work: never[]): unknown
}

/** What `prisma.$transaction(async (tx) => ...)` hands to its callback. */
export type TransactionClientOf<Client extends TransactingClient> = Parameters<Client['$transaction']>[0] extends (
  tx: infer Tx,
) => unknown
  ? Tx
  : never

export interface BatchOptions {
  /** Items handed over at once. Default: 500. */
  readonly size?: number
  /** How long the whole transaction may take. Default: Prisma's, which is 5 s unless the client was made with another. */
  readonly timeoutMillis?: number
  /** How long the transaction may wait for its connection. Default: Prisma's, which is 2 s. */
  readonly maxWaitMillis?: number
}

/** Prisma hands it to a timer of Node, which takes anything longer for 1 ms. */
const MAX_TIMER_MILLIS = 2 ** 31 - 1

/**
 * Many writes in one transaction on one connection, in chunks, all or nothing. `Promise.all` over the items would take
 * every connection of the pool, and leave half of the work done where one of them fails.
 *
 * @returns what `work` returned for each chunk, in order.
 * @throws what `work` throws, once everything has been taken back; {@link InvalidOptionError} for an option that cannot
 * be meant.
 * @example
 * await inBatches(prisma, rows, (tx, chunk) => tx.account.createMany({ data: chunk }), { timeoutMillis: 60_000 })
 */
export async function inBatches<Client extends TransactingClient, Item, Result>(
  prisma: Client,
  items: readonly Item[],
  work: (tx: TransactionClientOf<Client>, chunk: Item[]) => PromiseLike<Result> | Result,
  options: BatchOptions = {},
): Promise<Result[]> {
  const { size = 500, timeoutMillis, maxWaitMillis } = options
  requireInteger('size', size, 1)
  const limits = { ...limit('timeout', timeoutMillis), ...limit('maxWait', maxWaitMillis) }
  if (items.length === 0) return []
  const inTransaction = prisma.$transaction as (
    work: (tx: TransactionClientOf<Client>) => Promise<Result[]>,
    limits: object,
  ) => Promise<Result[]>
  return inTransaction.call(
    prisma,
    async (tx) => {
      const results: Result[] = []
      for (let start = 0; start < items.length; start += size) {
        results.push(await work(tx, items.slice(start, start + size)))
      }
      return results
    },
    limits,
  )
}

/** An option of Prisma's own; absent where the client's is to hold. */
function limit(name: 'timeout' | 'maxWait', millis: number | undefined): Record<string, number> {
  if (millis === undefined) return {}
  if (millis >= 1 && millis <= MAX_TIMER_MILLIS) return { [name]: millis }
  throw new InvalidOptionError(`${name}Millis`, millis, `a number of milliseconds from 1 to ${MAX_TIMER_MILLIS}`)
}
