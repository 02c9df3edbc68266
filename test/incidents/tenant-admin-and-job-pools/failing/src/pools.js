import postgres from 'postgres'

const url = process.env.DATABASE_URL

/** Every tenant has a schema of its own. */
export const tenants = postgres(url, { max: 50 })
export const admin = postgres(url, { max: 30 })
export const jobs = postgres(url, { max: 25 })
