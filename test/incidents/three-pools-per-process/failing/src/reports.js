import pg from 'pg'

export const reports = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 })
