import { defineConfig } from 'prisma/config'

// `generate` does not use the engine, but downloads one if it finds none. Any program satisfies the check.
process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath

export default defineConfig({
  schema: 'prisma/schema.prisma',
  // `prisma migrate` takes session locks, so it needs a direct connection. The app itself uses DATABASE_URL.
  datasource: { url: process.env.DIRECT_URL ?? process.env.DATABASE_URL ?? '' },
})
