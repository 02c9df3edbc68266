import { basename, posix } from 'node:path'
import { readerOf } from '../../environment/environment-files.ts'
import type { Module, Node } from '../../source/module.ts'
import type { PoolInSource } from '../pool-in-source.ts'
import { findPools } from '../pools/find-pools.ts'
import type { ProjectFolder } from '../project-folder.ts'
import type { ProjectSources } from '../project-sources.ts'
import { readPrisma } from '../read-prisma.ts'
import type { ProjectFiles } from '../walk-project.ts'
import type { AppInProject } from './app-in-project.ts'
import { driversOf, type Manifest, packagesOf, readManifest, reloadsModules } from './manifest.ts'
import { namedEnvironmentFiles } from './named-environment-files.ts'
import { readAppEnvironment } from './read-app-environment.ts'
import { isInWorkspace, readCatalogs, workspacePatterns } from './workspace-patterns.ts'

/** Where an app is, before its sources are read. */
interface AppFolder {
  readonly folder: string
  readonly manifest: Manifest
  readonly packages: ReadonlyMap<string, string>
}

export interface ReadApps {
  readonly isWorkspaceRoot: boolean
  readonly apps: readonly AppInProject[]
  readonly modules: readonly AppModule[]
}

/** A source that may create pools. */
export interface AppModule {
  readonly module: Module
  /** The app's directory. */
  readonly app: string
}

/** Reads all apps of a project, with their pools. */
export function readApps(
  project: ProjectFolder,
  files: ProjectFiles,
  sources: ProjectSources,
  env: Readonly<Record<string, string | undefined>>,
): ReadApps {
  const root = readManifest(project, 'package.json')
  const patterns = workspacePatterns(project, root)
  const folders = appFolders(project, files, root, patterns)
  sources.aliasRoots = folders.flatMap(({ folder }) => [posix.join(folder, 'src'), folder, posix.join(folder, 'app')])
  const owned = ownedSources(folders, files.manifests, sources.files)
  const modules = new Map(folders.map(({ folder }) => [folder, modulesOf(sources, owned.get(folder) ?? [])]))
  const seen = new Set<Node>()
  const apps = folders.map((app) =>
    readApp(app, folders, modules.get(app.folder) ?? [], { project, files, sources, env, seen }),
  )
  return {
    isWorkspaceRoot: patterns !== undefined,
    apps,
    modules: [...modules].flatMap(([app, own]) => own.map((module) => ({ module, app }))),
  }
}

interface Surroundings {
  readonly project: ProjectFolder
  readonly files: ProjectFiles
  readonly sources: ProjectSources
  readonly env: Readonly<Record<string, string | undefined>>
  readonly seen: Set<Node>
}

function readApp(
  { folder, manifest, packages }: AppFolder,
  all: readonly AppFolder[],
  modules: readonly Module[],
  { project, files, sources, env, seen }: Surroundings,
): AppInProject {
  const environment = readAppEnvironment(project, {
    files: files.environments,
    folder,
    reader: readerOf(packages),
    mode: env.NODE_ENV || 'development',
    named: namedEnvironmentFiles(manifest, modules, sources),
    env,
  })
  const hasPrisma = packages.has('prisma') || packages.has('@prisma/client')
  const prisma = readPrisma(project, sources, folder, files.prismaSchemas)
  const context = {
    folder,
    packages,
    variables: { ...environment.variables, ...env },
    reloads: reloadsModules(packages),
    prismaVariable: prisma.variable,
  }
  const pools: PoolInSource[] = modules.flatMap((module) => findPools(module, sources, context, seen))
  return {
    folder,
    name: typeof manifest.name === 'string' ? manifest.name : folder || basename(project.path),
    packages,
    drivers: driversOf(packages),
    dependsOn: dependenciesOf(folder, all),
    pools,
    environment,
    prismaDirectUrl: hasPrisma ? prisma.hasDirectUrl : undefined,
  }
}

/** The root, and every package of the workspace. Without a workspace, every directory with a package.json. */
function appFolders(
  project: ProjectFolder,
  files: ProjectFiles,
  root: Manifest,
  patterns: readonly string[] | undefined,
): AppFolder[] {
  // Subdirectories of a directory without package.json belong to other projects.
  if (!project.has('package.json')) return []
  const catalogs = readCatalogs(project)
  const ofRoot = packagesOf(root, catalogs)
  const inside = files.manifests
    .filter((file) => file !== 'package.json' && file !== 'project.json')
    .map((file) => ({ file, folder: posix.dirname(file) }))
    .filter(({ folder }) => patterns === undefined || isInWorkspace(folder, patterns))
  const folders = [...new Set(inside.map(({ folder }) => folder))]
  const apps = folders.map((folder) => {
    const hasOwn = inside.some(({ file }) => file === `${folder}/package.json`)
    const manifest = hasOwn ? readManifest(project, `${folder}/package.json`) : { name: folder }
    // Nx keeps the packages of all its projects at the root.
    const packages = hasOwn ? packagesOf(manifest, catalogs) : ofRoot
    return { folder, manifest, packages }
  })
  return [{ folder: '', manifest: root, packages: ofRoot }, ...apps]
}

/** Each source belongs to the nearest app around it. Packages that the workspace leaves out belong to other projects. */
function ownedSources(
  apps: readonly AppFolder[],
  manifests: readonly string[],
  files: readonly string[],
): ReadonlyMap<string, string[]> {
  const owned = new Map<string, string[]>(apps.map(({ folder }) => [folder, []]))
  const packages = new Set(manifests.filter((file) => file.endsWith('package.json')).map((file) => posix.dirname(file)))
  for (const file of files) {
    let folder = posix.dirname(file)
    while (folder !== '.' && !owned.has(folder) && !packages.has(folder)) folder = posix.dirname(folder)
    owned.get(folder === '.' ? '' : folder)?.push(file)
  }
  return owned
}

function modulesOf(sources: ProjectSources, files: readonly string[]): Module[] {
  return files.flatMap((file) => sources.relevantModule(file) ?? [])
}

/** Packages of the project that an app depends on, also indirectly. */
function dependenciesOf(folder: string, apps: readonly AppFolder[]): string[] {
  const byName = new Map(apps.map((app) => [String(app.manifest.name), app]))
  const found = new Set<string>()
  const open = apps.filter((app) => app.folder === folder)
  for (let next = open.pop(); next; next = open.pop()) {
    for (const name of next.packages.keys()) {
      const app = byName.get(name)
      if (!app || app.folder === folder || found.has(app.folder)) continue
      found.add(app.folder)
      open.push(app)
    }
  }
  return [...found].sort()
}
