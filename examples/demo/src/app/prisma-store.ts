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
    close: () => prisma.$disconnect(),
  }
}
