import { PrismaPg } from '@poolguard/prisma'
import { PrismaClient } from '../generated/prisma/client.ts'

/** All instances of this app share the database's connections, however many instances run. */
export const prisma = new PrismaClient({
  adapter: new PrismaPg({ url: process.env.DATABASE_URL, name: 'orders', fleet: { app: 'orders' } }),
})
