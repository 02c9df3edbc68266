import { PrismaPg } from '@poolguard/prisma'
import { PrismaClient } from '../generated/prisma/client.ts'

/** The pooled URL, without `pgbouncer=true`: what is at the other end is found out. */
export const prisma = new PrismaClient({ adapter: new PrismaPg({ url: process.env.DATABASE_URL, name: 'readings' }) })
