import type { ProjectFolder } from './project-folder.ts'

const SCHEMAS = ['prisma/schema.prisma', 'schema.prisma', 'prisma/schema/schema.prisma']
const CONFIGS = ['prisma.config.ts', 'prisma.config.mts', 'prisma.config.js', 'prisma.config.mjs', '.config/prisma.ts']

const SCHEMA_DIRECT_URL = /^[ \t]*directUrl[ \t]*=/m
/** Bounded repetitions, so that a file full of blanks does not slow down the match. */
const CONFIG_URL = /\burl\s{0,20}:\s{0,200}([^,}\n]{0,500})/gi
const DIRECT_NAME = /DIRECT|MIGRAT|UNPOOLED|NON_POOLING/i

/** Prisma 5 and 6 have `directUrl` in the schema; since Prisma 7, `url` in the configuration is for migrations. */
export function readPrismaDirectUrl(folder: ProjectFolder): boolean {
  const schemas = textsOf(folder, SCHEMAS)
  const configs = textsOf(folder, CONFIGS)
  return schemas.some((text) => SCHEMA_DIRECT_URL.test(text)) || configs.some(namesDirectUrl)
}

function namesDirectUrl(text: string): boolean {
  const values = [...text.matchAll(CONFIG_URL)].map(([, value = '']) => value)
  const names = values.flatMap((value) => value.match(/\w+/g) ?? [])
  return names.some((name) => name.toUpperCase() !== 'DATABASE_URL' && DIRECT_NAME.test(name))
}

function textsOf(folder: ProjectFolder, files: readonly string[]): string[] {
  return files.flatMap((file) => folder.read(file, 'text', (text) => text) ?? [])
}
