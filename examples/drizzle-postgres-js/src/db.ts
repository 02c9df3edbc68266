import { drizzle } from '@poolguard/drizzle/postgres-js'
import * as schema from './schema.ts'

/** What `poolguard generate` planned for each instance; else the default. */
const pool = process.env.DB_POOL_MAX ? { max: Number(process.env.DB_POOL_MAX) } : {}

/**
 * One pool, however often this module is loaded: that is what the name is for. Nothing says that there is a PgBouncer, nor
 * `prepare: false`: it is found out.
 */
export const db = drizzle({ connection: { url: process.env.DATABASE_URL, name: 'notes', pool }, schema })
