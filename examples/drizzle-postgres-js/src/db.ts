import { drizzle } from '@poolguard/drizzle/postgres-js'
import * as schema from './schema.ts'

/** The limit that `poolguard generate` planned for each instance, if set. */
const pool = process.env.DB_POOL_MAX ? { max: Number(process.env.DB_POOL_MAX) } : {}

/**
 * The name makes all reloads of this module share one pool. PgBouncer needs no setting here, nor `prepare: false`: the pool detects
 * it.
 */
export const db = drizzle({ connection: { url: process.env.DATABASE_URL, name: 'notes', pool }, schema })
