import { drizzle } from '@poolguard/drizzle/postgres-js'
import * as schema from './schema.ts'

/**
 * One pool, however often this module is loaded: that is what the name is for. Nothing says that there is a PgBouncer, nor
 * `prepare: false`: it is found out.
 */
export const db = drizzle({ connection: { url: process.env.DATABASE_URL, name: 'notes' }, schema })
