/** As an app's `db.ts`, which a development server loads anew with every change. */
import { PrismaPg } from '@poolguard/prisma'
import { PrismaClient } from '#prisma-client'

export const prisma = new PrismaClient({
  adapter: new PrismaPg({
    url: process.env.PRISMA_APP_URL,
    name: 'orders',
    // Long enough to load the driver on a busy machine.
    pool: { max: 3, acquireTimeoutMillis: 2_000 },
  }),
})
