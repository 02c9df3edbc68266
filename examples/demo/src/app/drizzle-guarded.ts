import { drizzle } from '@poolguard/drizzle/node-postgres'
import { drizzleStore } from './drizzle-store.ts'
import { guardOptions } from './environment.ts'

export const store = drizzleStore(
  drizzle({ connection: { url: process.env.DATABASE_URL as string, ...guardOptions(process.env) } }),
)
