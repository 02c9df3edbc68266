import { PrismaPg } from '@prisma/adapter-pg'
import { PrismaClient } from '../../generated/prisma/client.ts'
import { prismaStore, transactionOptions } from './prisma-store.ts'

const adapter = new PrismaPg(process.env.DATABASE_URL as string)
export const store = prismaStore(new PrismaClient({ adapter, transactionOptions }))
