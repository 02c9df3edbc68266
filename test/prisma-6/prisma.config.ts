import { defineConfig } from 'prisma/config'

// As for Prisma 7, see ../prisma.config.ts; this one looks for the engine of queries as well.
process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath
process.env.PRISMA_QUERY_ENGINE_LIBRARY ??= process.execPath

export default defineConfig({ schema: 'prisma/schema.prisma' })
