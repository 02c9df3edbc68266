import type { PrismaClient } from '#prisma-client'

/** An interactive transaction that keeps its connection until `end` is called. */
export interface HeldTransaction {
  /** The server's process behind it. */
  readonly pid: number
  /** Lets it commit; resolves when it has, rejects with what it failed with. */
  end(): Promise<void>
}

/** Opens one, and waits until it has its connection. */
export async function holdTransaction(prisma: PrismaClient, timeout = 20_000): Promise<HeldTransaction> {
  const begun = Promise.withResolvers<number>()
  const over = Promise.withResolvers<void>()
  const transaction = prisma.$transaction(
    async (tx) => {
      const [row] = await tx.$queryRaw<{ pid: number }[]>`select pg_backend_pid() pid`
      begun.resolve(row?.pid ?? 0)
      await over.promise
    },
    // On a busy machine the first connection may take longer than Prisma's 2 s.
    { timeout, maxWait: 20_000 },
  )
  transaction.catch(begun.reject)
  const pid = await begun.promise
  return {
    pid,
    end: () => {
      over.resolve()
      return transaction
    },
  }
}
