import { drizzle } from '@poolguard/drizzle/node-postgres'
import * as schema from './schema.ts'

/** The name makes all reloads of this module by `next dev` share one pool. */
export const db = drizzle({ connection: { url: process.env.DATABASE_URL, name: 'notes' }, schema })
