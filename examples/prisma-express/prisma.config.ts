import { defineConfig } from 'prisma/config'

// `generate` needs no engine, but looks for one and downloads it where there is none. Any program will do.
process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath

export default defineConfig({
  schema: 'prisma/schema.prisma',
  // For `prisma migrate`, which takes session locks: past the pooler. The app itself goes by DATABASE_URL.
  datasource: { url: process.env.DIRECT_URL ?? process.env.DATABASE_URL ?? '' },
})
