import { posix } from 'node:path'
import { Evaluator } from '../source/evaluator.ts'
import type { ProjectFolder } from './project-folder.ts'
import type { ProjectSources } from './project-sources.ts'

const SCHEMAS = ['prisma/schema.prisma', 'schema.prisma', 'prisma/schema/schema.prisma']
const CONFIGS = ['prisma.config.ts', 'prisma.config.mts', 'prisma.config.js', 'prisma.config.mjs', '.config/prisma.ts']

/** Bounded repetitions, so that a file full of blanks does not slow down the match. */
const SCHEMA_SETTING = /^[ \t]{0,20}(url|directUrl|provider)[ \t]{0,20}=[ \t]{0,20}(?:env\()?"([^"\n]{1,200})"/gm
const DIRECT_NAME = /DIRECT|MIGRAT|UNPOOLED|NON_POOLING/i

/** How an app connects with Prisma. */
export interface PrismaFacts {
  /** Whether migrations have their own URL: `directUrl` in the schema (Prisma 5 and 6), or the URL of the configuration (since 7). */
  readonly hasDirectUrl: boolean
  /** The variable of the app's URL; undefined if Prisma uses another database than PostgreSQL. */
  readonly variable: string | undefined
  readonly migrationsVariable: string | undefined
}

/**
 * Reads Prisma's schema and configuration of an app.
 *
 * @param found the project's schemas, relative to its root.
 */
export function readPrisma(
  project: ProjectFolder,
  sources: ProjectSources,
  folder: string,
  found: readonly string[],
): PrismaFacts {
  const own = found.filter((file) => folder === '' || file.startsWith(`${folder}/`))
  const files = new Set([...SCHEMAS.map((file) => posix.join(folder, file)), ...own])
  const texts = [...files].flatMap((file) => project.read(file, 'text', (text) => text) ?? [])
  const settings = texts.flatMap((text) => datasourceSettings(text))
  const setting = (name: string) => settings.find(([known]) => known === name)?.[1]
  const provider = setting('provider')
  const config = CONFIGS.map((file) => migrationsUrl(sources, posix.join(folder, file))).find(
    (text) => text !== undefined,
  )
  const names = config?.match(/\w+/g) ?? []
  return {
    hasDirectUrl:
      setting('directUrl') !== undefined ||
      names.some((name) => name.toUpperCase() !== 'DATABASE_URL' && DIRECT_NAME.test(name)),
    variable:
      provider !== undefined && !/^(postgres(ql)?|cockroachdb)$/.test(provider)
        ? undefined
        : (setting('url') ?? 'DATABASE_URL'),
    migrationsVariable: names.find((name) => /^[A-Z][A-Z0-9_]*$/.test(name)),
  }
}

/** `url`, `directUrl` and `provider` of the datasource; a generator has a provider, too. */
function datasourceSettings(text: string): [name: string, value: string][] {
  const start = text.search(/^[ \t]{0,20}datasource\s/m)
  if (start < 0) return []
  const end = text.indexOf('}', start)
  const block = text.slice(start, end < 0 ? undefined : end)
  return [...block.matchAll(SCHEMA_SETTING)].map(([, name = '', value = '']) => [name, value])
}

/** The expression of the URL in a configuration of Prisma. */
function migrationsUrl(sources: ProjectSources, file: string): string | undefined {
  const module = sources.module(file)
  const config = module?.exports.get('default')
  if (!module || !config) return undefined
  const url = new Evaluator(sources).propertyAt({ module, node: config }, 'datasource', 'url')
  return url?.module.textOf(url.node).slice(0, 500)
}
