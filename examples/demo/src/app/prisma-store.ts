import type { PrismaClient } from '../../generated/prisma/client.ts'
import type { Store } from './store.ts'

/** A transaction waits for as long as the pool lets it, on either side: Prisma's own limit of 2 s hides the pool's. */
export const transactionOptions = { maxWait: 15_000 }

export function prismaStore(prisma: PrismaClient): Store {
  return {
    async balance(id) {
      return (await prisma.account.findUnique({ where: { id } }))?.balance ?? 0
    },
    async transfer(from, to) {
      await prisma.$transaction([
        prisma.account.update({ where: { id: from }, data: { balance: { decrement: 1 } } }),
        prisma.account.update({ where: { id: to }, data: { balance: { increment: 1 } } }),
      ])
    },
    async total() {
      const [found] = await prisma.$queryRaw<{ total: number }[]>`
        select sum(balance)::int as total, pg_sleep(0.3)::text as slowly from account`
      return found?.total ?? 0
    },
    close: () => prisma.$disconnect(),
  }
}
