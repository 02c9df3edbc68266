import { drizzle } from 'drizzle-orm/node-postgres'
import { drizzleStore } from './drizzle-store.ts'

export const store = drizzleStore(drizzle(process.env.DATABASE_URL as string))
