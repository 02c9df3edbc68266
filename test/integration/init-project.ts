import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished } from 'vitest'
import { cleanEnvironment, runPoolguard } from './run-poolguard.ts'

const TEST = fileURLToPath(new URL('..', import.meta.url))
const TSC = join(TEST, '../node_modules/typescript/bin/tsc')

export type Files = Readonly<Record<string, string>>

export const RECORD = '.poolguard-init.json'

/** Prints at the end whether the process has opened a guarded pool. */
const WATCH = `let opened = false
require('node:diagnostics_channel').subscribe('poolguard:opened', () => { opened = true })
process.on('exit', () => { if (opened) console.log('guarded') })
`

/** The compiler options of the templates, as far as they matter; the packages of this repository are read as sources. */
const TSCONFIG = {
  compilerOptions: {
    ...{ target: 'es2023', lib: ['es2024', 'dom'], module: 'esnext', moduleResolution: 'bundler', types: ['node'] },
    ...{ strict: true, noUnusedLocals: true, noUncheckedIndexedAccess: true, esModuleInterop: true },
    ...{ skipLibCheck: true, noEmit: true, allowImportingTsExtensions: true, allowJs: true, checkJs: false },
    ...{ experimentalDecorators: true, emitDecoratorMetadata: true },
    paths: { '~/*': ['./src/*'] },
  },
  include: ['src'],
}

/** A project among the tests, so that it finds the installed packages. */
export function makeProject(files: Files): string {
  const generated = join(TEST, 'generated')
  mkdirSync(generated, { recursive: true })
  const folder = mkdtempSync(join(generated, 'init-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const all = { 'tsconfig.json': JSON.stringify(TSCONFIG), 'resolve.mjs': RESOLVE, 'watch.cjs': WATCH, ...files }
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

export function readFiles(folder: string, files: readonly string[]): Files {
  const present = files.filter((file) => existsSync(join(folder, file)))
  return Object.fromEntries(present.map((file) => [file, readFileSync(join(folder, file), 'utf8')]))
}

/** Resolves with the errors of the compiler; empty if there are none. */
export async function typecheck(folder: string): Promise<string> {
  const { code, output } = await run(folder, [TSC, '-p', '.'])
  return code === 0 ? '' : output
}

/** Adopts poolguard, and checks that a second run changes nothing. */
export async function adopt(files: Files, packages: readonly string[]): Promise<string> {
  const folder = makeProject(files)
  const { code, stdout, stderr } = await runPoolguard(['init', '--yes', '--no-install', '--json'], { folder })
  expect(stderr).toBe('')
  expect(code).toBe(0)
  const report = JSON.parse(stdout)
  expect(report).toMatchObject({ applied: true, instructions: [], unread: [], record: RECORD })
  expect(report.packages).toEqual([{ folder: '', packages }])
  const names = [...Object.keys(files), RECORD]
  const after = readFiles(folder, names)
  const again = await runPoolguard(['init', '--yes', '--no-install', '--json'], { folder })
  expect(JSON.parse(again.stdout)).toMatchObject({ applied: false, files: [] })
  expect(readFiles(folder, names)).toEqual(after)
  return folder
}

/** Runs a program of the project; resolves with what it prints, and then `guarded` if it has opened a guarded pool. */
export async function runGuarded(folder: string, program: string, url: string): Promise<string> {
  const args = ['--require', './watch.cjs', '--import', './resolve.mjs', program]
  return (await run(folder, args, { DATABASE_URL: url })).output.trim()
}

async function run(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, args, { cwd: folder, env: cleanEnvironment(env) })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  const { promise, resolve } = Promise.withResolvers<number | null>()
  child.once('close', resolve)
  return { code: await promise, output }
}

/** Bundlers of the templates find `~/env` and `./schema`; Node needs the file's name. */
const RESOLVE = `import { existsSync } from 'node:fs'
import { registerHooks } from 'node:module'
registerHooks({
  resolve(specifier, context, next) {
    const alias = specifier.startsWith('~/') ? new URL('./src/' + specifier.slice(2), import.meta.url).href : specifier
    const isOwn = context.parentURL?.startsWith(new URL('.', import.meta.url).href) && context.parentURL.endsWith('.ts')
    if (!isOwn || !/^(file:|\\.)/.test(alias)) return next(specifier, context)
    const base = new URL(alias, context.parentURL).href
    const found = ['', '.ts', '/index.ts', '.js'].map((end) => base + end).find((url) => /\\.\\w+$/.test(url) && existsSync(new URL(url)))
    return next(found ?? specifier, context)
  },
})
`
