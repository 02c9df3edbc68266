import { t } from '../output/translate.ts'
import { type AppInProject, poolsOfApp } from '../project/apps/app-in-project.ts'
import { readApps } from '../project/apps/read-apps.ts'
import { roleOf } from '../project/pools/creation-frequency.ts'
import { ProjectFolder } from '../project/project-folder.ts'
import { ProjectSources } from '../project/project-sources.ts'
import { readPrisma } from '../project/read-prisma.ts'
import { walkProject } from '../project/walk-project.ts'
import { Evaluator } from '../source/evaluator.ts'
import type { Module } from '../source/module.ts'
import { adoptPg, adoptPostgresJs } from './adopt-drivers.ts'
import { adoptFastify, makesFastify } from './adopt-fastify.ts'
import { adoptNest } from './adopt-nest.ts'
import { adoptDrizzle, adoptPrismaAdapter, adoptPrismaEngine, adoptTypeOrm } from './adopt-orms.ts'
import type { Adopter, Adoption, Instruction } from './adoption.ts'
import { withoutObsoleteParameters } from './clean-environment.ts'
import { readEditable } from './editable-file.ts'
import { SourceEditor } from './source-editor.ts'

/** A file that `init` changes. Both texts are complete, with a byte order mark if there is one. */
export interface PlannedFile {
  /** Relative to the project's root, with `/`. */
  readonly file: string
  readonly before: string
  readonly after: string
}

/** Packages to install in an app. */
export interface PlannedInstall {
  /** The app's directory, relative to the project's root. */
  readonly folder: string
  readonly packages: readonly string[]
}

/** The changes of `init`. Without files and instructions there is nothing to do. */
export interface InitPlan {
  readonly apps: readonly AppInProject[]
  readonly files: readonly PlannedFile[]
  readonly installs: readonly PlannedInstall[]
  readonly instructions: readonly Instruction[]
  /** Files that were not read, and why. */
  readonly unread: readonly string[]
}

const DRIVERS: readonly Adopter[] = [adoptPg, adoptPostgresJs]
const ORMS: readonly Adopter[] = [adoptDrizzle, adoptPrismaAdapter, adoptPrismaEngine, adoptTypeOrm]

/** Reads a project and plans the edits that adopt poolguard. Changes nothing. */
export function planInit(root: string, env: Readonly<Record<string, string | undefined>>): InitPlan {
  const project = new ProjectFolder(root)
  const files = walkProject(root)
  const sources = new ProjectSources(project, files.sources)
  const { apps, modules } = readApps(project, files, sources, env)
  const changed: PlannedFile[] = []
  const installs: PlannedInstall[] = []
  const instructions: Instruction[] = []
  for (const app of apps) {
    const own = modules.flatMap(({ module, app: folder }) => (folder === app.folder ? [module] : []))
    const needed = new Set<string>()
    const prisma = readPrisma(project, sources, app.folder, files.prismaSchemas)
    const programs = own.filter(({ file }) => roleOf(file) === 'app')
    const hasFastify =
      app.packages.has('fastify') && programs.some((module) => makesFastify(new Evaluator(sources), module))
    const edited = own.flatMap((module) => {
      const editor = new SourceEditor(module)
      const adoption: Adoption = {
        ...{ module, editor, app, evaluator: new Evaluator(sources) },
        prismaMajor: majorOf(app.packages.get('@prisma/client')),
        prismaVariable: prisma.variable,
        hasTypeOrmModule: own.some(({ text }) => /TypeOrmModule\.forRoot/.test(text)),
        makesFastify: hasFastify,
        need: (name) => needed.add(name),
        instruct: (node, text) => instructions.push({ file: module.file, line: module.lineOf(node), text }),
      }
      adopt(adoption, apps)
      return editor.isChanged ? editedFile(project, module, editor, instructions) : []
    })
    const isGuarded = needed.size > 0 || app.pools.some(({ guarded }) => guarded)
    changed.push(...edited, ...(isGuarded ? cleanedFiles(project, app) : []))
    const missing = [...needed].filter((name) => !app.packages.has(name)).sort()
    if (missing.length > 0) installs.push({ folder: app.folder, packages: missing })
  }
  // An `.env` file at the root belongs to several apps.
  const unique = new Map(changed.map((each) => [each.file, each]))
  return { apps, files: [...unique.values()], installs, instructions, unread: project.unread }
}

function adopt(adoption: Adoption, apps: readonly AppInProject[]): void {
  const { module, app } = adoption
  const isTool = roleOf(module.file) === 'script' || /\.config\.[cm]?[jt]s$/.test(module.file)
  if (isTool) return
  for (const adopter of [...DRIVERS, ...ORMS]) adopter(adoption)
  if (poolsOfApp(apps, app).length === 0) return
  if (app.packages.has('@nestjs/core')) adoptNest(adoption)
  else if (app.packages.has('fastify')) adoptFastify(adoption)
}

function editedFile(
  project: ProjectFolder,
  module: Module,
  editor: SourceEditor,
  instructions: Instruction[],
): PlannedFile[] {
  const { file } = module
  const [line] = module.skippedLines
  if (line !== undefined) {
    instructions.push({ file, line, text: t`This line cannot be parsed, so init does not change the file.` })
    return []
  }
  const before = readEditable(project, file)
  const mark = before?.startsWith('\ufeff') ? '\ufeff' : ''
  if (before === undefined || before !== mark + module.text) return []
  const after = mark + editor.finish()
  return after === before ? [] : [{ file, before, after }]
}

function cleanedFiles(project: ProjectFolder, { environment }: AppInProject): PlannedFile[] {
  return [...environment.used, ...environment.others].flatMap(({ file }) => {
    const before = readEditable(project, file)
    const after = before === undefined ? undefined : withoutObsoleteParameters(before)
    return before === undefined || after === undefined || after === before ? [] : [{ file, before, after }]
  })
}

function majorOf(range: string | undefined): number | undefined {
  const [major] = /\d+/.exec(range ?? '') ?? []
  return range === undefined ? undefined : Number(major ?? 7)
}
