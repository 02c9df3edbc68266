import pg from 'pg'

globalThis.pool ??= new pg.Pool({ connectionString: process.env.DATABASE_URL })

export const pool = globalThis.pool
