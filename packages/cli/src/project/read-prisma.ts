import type { ProjectFolder } from './project-folder.ts'

const SCHEMAS = ['prisma/schema.prisma', 'schema.prisma', 'prisma/schema/schema.prisma']
const CONFIGS = ['prisma.config.ts', 'prisma.config.mts', 'prisma.config.js', 'prisma.config.mjs', '.config/prisma.ts']

/** Up to 6 the schema has `directUrl`; from 7 on the configuration's url is the one for migrations. */
export function readPrismaDirectUrl(folder: ProjectFolder): boolean {
  const schemas = textsOf(folder, SCHEMAS)
  const configs = textsOf(folder, CONFIGS)
  return (
    schemas.some((text) => /^\s*directUrl\s*=/m.test(text)) ||
    configs.some((text) =>
      /\burl\s*:\s*[^,}\n]*\b(?!DATABASE_URL\b)\w*(?:DIRECT|MIGRAT|UNPOOLED|NON_POOLING)\w*/i.test(text),
    )
  )
}

function textsOf(folder: ProjectFolder, files: readonly string[]): string[] {
  return files.flatMap((file) => folder.read(file, 'text', (text) => text) ?? [])
}
