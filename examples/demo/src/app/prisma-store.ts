import type { PrismaClient } from '../../generated/prisma/client.ts'
import type { Store } from './store.ts'

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
