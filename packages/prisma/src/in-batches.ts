import { InvalidOptionError, requireInteger } from '@poolguard/core/adapter'

/** The part of PrismaClient used here; extended clients and all versions have it. */
export interface TransactingClient {
  $transaction(...work: never[]): unknown
}

/** The type of `tx` in `prisma.$transaction(async (tx) => ...)`. */
export type TransactionClientOf<Client extends TransactingClient> = Parameters<Client['$transaction']>[0] extends (
  tx: infer Tx,
) => unknown
  ? Tx
  : never

export interface BatchOptions {
  /** Items per chunk. Default: 500. */
  readonly size?: number
  /** How long the whole transaction may take. Default: the client's timeout, which is 5 s unless you configured it. */
  readonly timeoutMillis?: number
  /** How long the transaction may wait for its connection. Default: the client's `maxWait`, which is 2 s unless you configured it. */
  readonly maxWaitMillis?: number
}

/** Prisma passes the limit to a Node timer, which reads longer durations as 1 ms. */
const MAX_TIMER_MILLIS = 2 ** 31 - 1

/**
 * Runs many writes in one transaction on one connection, in chunks, all or nothing. `Promise.all` over the items would occupy every
 * connection of the pool, and if one write fails, the remaining writes would stay committed.
 *
 * @returns the results of `work`, one per chunk, in order.
 * @throws the error of `work`, after the transaction was rolled back; {@link InvalidOptionError} for an invalid option.
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

/** One option of `$transaction`; omitted if the client's default applies. */
function limit(name: 'timeout' | 'maxWait', millis: number | undefined): Record<string, number> {
  if (millis === undefined) return {}
  if (millis >= 1 && millis <= MAX_TIMER_MILLIS) return { [name]: millis }
  throw new InvalidOptionError(`${name}Millis`, millis, `a number of milliseconds from 1 to ${MAX_TIMER_MILLIS}`)
}
