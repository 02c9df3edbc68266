import { defineConfig } from 'prisma/config'

// `generate` does not use the engine, but downloads one if it finds none. Any program satisfies the check.
process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath

export default defineConfig({ schema: 'prisma/schema.prisma' })
