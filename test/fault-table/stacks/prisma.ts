import { PrismaPg as GuardedPrismaPg } from '@poolguard/prisma'
import { PrismaPg } from '@prisma/adapter-pg'
import { PrismaClient } from '#prisma-client'
import { MAX_CONNECTIONS, READ, rowOf, type Stack, type StackApp } from '../stack.ts'

function appOnPrisma(prisma: PrismaClient): StackApp {
  return {
    write: (id) => prisma.$executeRawUnsafe(rowOf(id, 'only')),
    writeTwice: (id, between) =>
      prisma.$transaction(async (tx) => {
        await tx.$executeRawUnsafe(rowOf(id, 'first'))
        await between()
        await tx.$executeRawUnsafe(rowOf(id, 'second'))
      }),
    read: () => prisma.$queryRawUnsafe(READ),
    run: (text) => prisma.$executeRawUnsafe(text),
    borrow: undefined,
    close: () => prisma.$disconnect(),
  }
}

export const prisma: Stack = {
  name: 'Prisma',
  packages: ['@prisma/client', '@prisma/adapter-pg', 'pg'],
  async open(connectionString) {
    return appOnPrisma(new PrismaClient({ adapter: new PrismaPg({ connectionString, max: MAX_CONNECTIONS }) }))
  },
}

export const guardedPrisma: Stack = {
  name: 'poolguard: Prisma',
  packages: ['@prisma/client', '@prisma/adapter-pg', 'pg'],
  async open(url) {
    return appOnPrisma(new PrismaClient({ adapter: new GuardedPrismaPg({ url, pool: { max: MAX_CONNECTIONS } }) }))
  },
}
