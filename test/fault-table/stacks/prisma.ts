import type { PrismaClient } from '#prisma-client'
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
    const [{ PrismaClient }, { PrismaPg }] = await Promise.all([import('#prisma-client'), import('@prisma/adapter-pg')])
    return appOnPrisma(new PrismaClient({ adapter: new PrismaPg({ connectionString, max: MAX_CONNECTIONS }) }))
  },
}

export const guardedPrisma: Stack = {
  name: 'poolguard: Prisma',
  packages: ['@prisma/client', '@prisma/adapter-pg', 'pg'],
  async open(url) {
    const [{ PrismaClient }, { PrismaPg }] = await Promise.all([import('#prisma-client'), import('@poolguard/prisma')])
    return appOnPrisma(new PrismaClient({ adapter: new PrismaPg({ url, pool: { max: MAX_CONNECTIONS } }) }))
  },
}
