import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { promisify } from 'node:util'
import type { Manifest } from './manifest.ts'
import { checkStartSizes } from './start-size.ts'

const run = promisify(execFile)
const require = createRequire(import.meta.url)

/** Installed beside the packages, as a user would: their peers and what else apps on them use, from this workspace. */
const PEERS = [
  ...['pg', 'postgres', 'drizzle-orm', 'typeorm', '@prisma/client', '@prisma/adapter-pg'],
  ...['fastify', 'fastify-plugin', 'hono'],
  ...['@nestjs/common', '@nestjs/core', '@nestjs/platform-express', '@nestjs/terminus', 'reflect-metadata', 'rxjs'],
] as const

/** The command line's own libraries, from its folder. */
const commandLine = createRequire(new URL('../../packages/cli/package.json', import.meta.url))

/** The driver whose threads are tried, from the package that is tested with it. */
const sqlite = createRequire(new URL('../../packages/sqlite/package.json', import.meta.url))

/** What has a part that no import loads: a program that needs it, behind the import or require of its entry as `all`. */
const PROGRAMS: Readonly<Record<string, string>> = {
  '@poolguard/sqlite': "new all.SqlitePool({ file: ':memory:', driver: 'better-sqlite3' }).query('SELECT 1')",
}

/** Loads every entry of the packages by `import` and by `require`, as an app would, runs every program, and checks what an import loads. */
export async function loadInBothFormats(tarballs: readonly string[], folder: string): Promise<string[]> {
  const manifests = await install(tarballs, folder)
  const problems = await checkStartSizes(manifests, folder)
  for (const { name, bin, exports } of manifests) {
    for (const program of Object.values(bin ?? {}))
      problems.push(...(await help(path.join(folder, 'app/node_modules', name, program))))
    for (const entry of Object.keys(exports).filter((key) => !key.endsWith('.json'))) {
      const specifier = path.posix.join(name, entry)
      problems.push(...(await load(folder, specifier, 'load.mjs', `import * as all from '${specifier}'`)))
      problems.push(...(await load(folder, specifier, 'load.cjs', `const all = require('${specifier}')`)))
    }
  }
  return problems
}

/** Unpacks the tarballs into `app/node_modules` of a folder, with the peers beside them. */
export async function install(tarballs: readonly string[], folder: string): Promise<Manifest[]> {
  const modules = path.join(folder, 'app/node_modules')
  const manifests = await Promise.all(tarballs.map((tarball) => unpack(tarball, modules)))
  await Promise.all(PEERS.map((peer) => link(peer, modules)))
  await Promise.all(librariesOf(commandLine('./package.json')).map((library) => link(library, modules, commandLine)))
  await link('better-sqlite3', modules, sqlite)
  return manifests
}

function librariesOf({ dependencies = {} }: { readonly dependencies?: Readonly<Record<string, string>> }): string[] {
  return Object.keys(dependencies).filter(
    (name) => !name.startsWith('@poolguard/') && !(PEERS as readonly string[]).includes(name),
  )
}

/** Where {@link install} has unpacked a tarball. */
export function homeOf(tarball: string, folder: string): string {
  return path.join(folder, 'app/node_modules', unpackedName(tarball))
}

function unpackedName(tarball: string): string {
  return path.basename(tarball, '.tgz')
}

async function unpack(tarball: string, modules: string): Promise<Manifest> {
  const home = path.join(modules, unpackedName(tarball))
  await mkdir(home, { recursive: true })
  await run('tar', ['-xzf', tarball, '-C', home, '--strip-components', '1'])
  const manifest = JSON.parse(await readFile(path.join(home, 'package.json'), 'utf8')) as Manifest
  await mkdir(path.dirname(path.join(modules, manifest.name)), { recursive: true })
  await symlink(home, path.join(modules, manifest.name), 'junction')
  return manifest
}

/** The real folder of a peer, found through what this package itself depends on. */
async function link(peer: string, modules: string, from: NodeJS.Require = require): Promise<void> {
  const paths = from.resolve.paths(peer) ?? []
  for (const candidate of paths.map((each) => path.join(each, peer))) {
    if (!(await readdir(candidate).catch(() => undefined))) continue
    await mkdir(path.dirname(path.join(modules, peer)), { recursive: true })
    await symlink(candidate, path.join(modules, peer), 'junction')
    return
  }
  throw new Error(`the peer ${peer} is not installed`)
}

async function load(folder: string, specifier: string, file: string, statement: string): Promise<string[]> {
  const script = path.join(folder, 'app', file)
  const program = PROGRAMS[specifier] ?? ''
  await writeFile(
    script,
    `${statement}\nif (Object.keys(all).length === 0) throw new Error('exports nothing')\n${program}\n`,
  )
  return run(process.execPath, [script]).then(
    () => [],
    (error: Error) => [`${file}: ${specifier} does not load: ${error.message}`],
  )
}

async function help(program: string): Promise<string[]> {
  return run(process.execPath, [program, '--help']).then(
    ({ stdout }) => (stdout.startsWith('Usage:') ? [] : [`${program} does not help`]),
    (error: Error) => [`${program} does not run: ${error.message}`],
  )
}
