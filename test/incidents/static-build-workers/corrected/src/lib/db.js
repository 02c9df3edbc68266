import pg from 'pg'

globalThis.pool ??= new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 4 })

export const pool = globalThis.pool
