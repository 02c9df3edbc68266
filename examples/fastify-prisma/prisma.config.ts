import { defineConfig } from 'prisma/config'

// `generate` needs no engine, but looks for one and downloads it where there is none. Any program will do.
process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath

export default defineConfig({ schema: 'prisma/schema.prisma' })
