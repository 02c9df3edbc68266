import { PrismaPg } from '@poolguard/prisma'
import { PrismaClient } from '../generated/prisma/client.ts'

/** The pooled URL, without `pgbouncer=true`: the pool detects PgBouncer. */
export const prisma = new PrismaClient({ adapter: new PrismaPg({ url: process.env.DATABASE_URL, name: 'readings' }) })
