import { posix } from 'node:path'
import { parseEnv } from 'node:util'
import { type EnvironmentReader, orderEnvironmentFiles, readerOf } from '../../environment/environment-files.ts'
import { expandVariables } from '../../environment/expand-variables.ts'
import { rememberVariables } from '../../environment/remember-secrets.ts'
import { ProjectFolder } from '../project-folder.ts'
import type { AppEnvironment, EnvironmentFile } from './app-in-project.ts'
import { type Manifest, packagesOf, readManifest } from './manifest.ts'
import { filesInScripts } from './named-environment-files.ts'

/** What decides which files an app reads. */
export interface EnvironmentOptions {
  /** All `.env` files of the project, relative to its root. */
  readonly files: readonly string[]
  /** The app's directory. */
  readonly folder: string
  readonly reader: EnvironmentReader
  readonly mode: string
  /** Files that the app's sources or scripts name, relative to the app's directory. */
  readonly named: readonly string[]
  /** Variables of the shell, for references. */
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Reads the `.env` files of an app, and, weaker, those of the project's root: a task runner loads them for all apps. */
export function readAppEnvironment(project: ProjectFolder, options: EnvironmentOptions): AppEnvironment {
  const { files, folder, reader, mode, named, env } = options
  const own = orderEnvironmentFiles(filesIn(files, folder), reader, mode, named)
  const ofRoot = folder === '' ? undefined : orderEnvironmentFiles(filesIn(files, ''), reader, mode)
  const place = (names: readonly string[]) => names.map((name) => posix.join(folder, name))
  const used = readAll(project, [...place(own.used), ...(ofRoot?.used ?? [])])
  const others = readAll(project, [...place(own.others), ...(ofRoot?.others ?? [])])
  const merged = Object.assign({}, ...used.map(({ variables }) => variables).reverse()) as EnvironmentFile['variables']
  const variables = expandVariables(merged, env)
  rememberVariables(variables)
  return {
    variables,
    used,
    others: others.map(({ file, variables: other }) => {
      const expanded = expandVariables({ ...merged, ...other }, {})
      rememberVariables(expanded)
      return { file, variables: Object.fromEntries(Object.keys(other).map((name) => [name, expanded[name]])) }
    }),
    ignored: [...place(own.ignored), ...(ofRoot?.ignored ?? [])],
  }
}

/** The `.env` files of a directory and of its `prisma`, relative to it. */
function filesIn(files: readonly string[], folder: string): string[] {
  return files
    .map((file) => posix.relative(folder, file))
    .filter((file) => !file.startsWith('..') && (!file.includes('/') || file === 'prisma/.env'))
}

function readAll(project: ProjectFolder, files: readonly string[]): EnvironmentFile[] {
  return files.flatMap((file) => {
    const variables = project.read(file, 'variables', (text) => parseEnv(text) as Record<string, string>)
    return variables ? [{ file, variables }] : []
  })
}

/** Reads the environment of one directory, without looking at sources or other apps. Its package.json says which files count. */
export function readFolderEnvironment(
  project: ProjectFolder,
  env: Readonly<Record<string, string | undefined>>,
): AppEnvironment {
  const manifest = project.has('package.json') ? manifestOf(project) : {}
  const files = [...project.list('').filter((name) => /^\.env(\.|$)/.test(name)), 'prisma/.env']
  return readAppEnvironment(project, {
    files: files.filter((file) => project.has(file)),
    folder: '',
    reader: readerOf(packagesOf(manifest)),
    mode: env.NODE_ENV || 'development',
    named: filesInScripts(manifest),
    env,
  })
}

/** An invalid package.json is reported where the project is read. */
function manifestOf(project: ProjectFolder): Manifest {
  return readManifest(new ProjectFolder(project.path), 'package.json')
}
