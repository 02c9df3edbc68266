/** The driver that connects to PostgreSQL. `prisma-engine` is the Rust engine of Prisma 5 and 6. */
export type Driver = 'pg' | 'postgres.js' | 'prisma-engine'
