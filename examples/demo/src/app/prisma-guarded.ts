import { PrismaPg } from '@poolguard/prisma'
import { PrismaClient } from '../../generated/prisma/client.ts'
import { guardOptions } from './environment.ts'
import { prismaStore, transactionOptions } from './prisma-store.ts'

const adapter = new PrismaPg({ url: process.env.DATABASE_URL as string, ...guardOptions(process.env) })
export const store = prismaStore(new PrismaClient({ adapter, transactionOptions }))
