import { drizzle } from '@poolguard/drizzle/node-postgres'
import * as schema from './schema.ts'

/** One pool for the process, however often `next dev` loads this module anew: that is what the name is for. */
export const db = drizzle({ connection: { url: process.env.DATABASE_URL, name: 'notes' }, schema })
