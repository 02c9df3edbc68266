import { t } from '../output/translate.ts'
import { Module } from '../source/module.ts'
import { SourceSyntaxError } from '../source/parse-source.ts'
import type { SourceGraph } from '../source/source-graph.ts'
import type { ProjectFolder } from './project-folder.ts'

/** Time for all sources of a project; the rest is reported as not read. */
const MAX_MILLIS = 15_000
const MAX_MILLIS_PER_SOURCE = 2_000
/** A merge conflict has three lines that are not code. */
const MAX_SKIPPED_LINES = 9

/** A source that creates a pool contains one of these: a package's name, or options of an ORM. */
const RELEVANT =
  /['"](?:pg|pg-pool|postgres|pg-promise|pg-boss|typeorm|knex|sequelize[\w-]*|slonik|graphile-worker|postgraphile[\w/]*|better-auth|connect-pg-simple|dotenv[\w/-]*|drizzle-orm[\w/-]*|fastify|fastify-postgres|@(?:prisma|poolguard|nestjs|mikro-orm|vercel|neondatabase|databases|keyv|fastify|langchain|payloadcms|sequelize)\/[\w./-]+)['"]|PrismaClient|envFilePath|\b(?:client|type|dialect)['"]?\s{0,20}:\s{0,20}['"](?:pg|postgres)/

/** The sources of a project, read and parsed when they are needed, within bounds of time. */
export class ProjectSources implements SourceGraph {
  readonly files: readonly string[]
  aliasRoots: readonly string[] = []
  readonly #folder: ProjectFolder
  readonly #known: ReadonlySet<string>
  readonly #texts = new Map<string, string | undefined>()
  readonly #modules = new Map<string, Module | undefined>()
  readonly #deadline = performance.now() + MAX_MILLIS
  #isLate = false

  constructor(folder: ProjectFolder, files: readonly string[]) {
    this.#folder = folder
    this.files = files
    this.#known = new Set(files)
  }

  /** Whether the time was over before all sources were read. */
  get isPartial(): boolean {
    return this.#isLate
  }

  /** The module of a source that may create pools, or name `.env` files; undefined for other sources. */
  relevantModule(file: string): Module | undefined {
    const text = this.#textOf(file)
    return text !== undefined && RELEVANT.test(text) ? this.module(file) : undefined
  }

  module(file: string): Module | undefined {
    if (!this.#known.has(file)) return undefined
    if (!this.#modules.has(file)) this.#modules.set(file, this.#parse(file))
    return this.#modules.get(file)
  }

  #parse(file: string): Module | undefined {
    const text = this.#textOf(file)
    if (text === undefined || this.#isOver()) return undefined
    try {
      // JSON is an expression, and so a source of one.
      const source = file.endsWith('.json') ? `export default ${text}` : text
      const timeoutMillis = Math.min(MAX_MILLIS_PER_SOURCE, this.#deadline - performance.now())
      const module = new Module(file, source, { maxSkippedLines: MAX_SKIPPED_LINES, timeoutMillis })
      if (module.skippedLines.length > 0)
        this.#folder.reportSkipped(t`${file} line ${module.skippedLines.join(', ')}`, t`invalid syntax`)
      return module
    } catch (error) {
      if (!(error instanceof SourceSyntaxError)) throw error
      this.#folder.reportSkipped(file, error.message)
      return undefined
    }
  }

  #textOf(file: string): string | undefined {
    if (!this.#texts.has(file)) {
      if (this.#isOver()) return undefined
      this.#texts.set(
        file,
        this.#folder.read(file, 'text', (text) => text),
      )
    }
    return this.#texts.get(file)
  }

  #isOver(): boolean {
    this.#isLate ||= performance.now() > this.#deadline
    return this.#isLate
  }
}
