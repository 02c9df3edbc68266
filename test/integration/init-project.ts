import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const TEST = fileURLToPath(new URL('..', import.meta.url))
const TSC = join(TEST, '../node_modules/typescript/bin/tsc')

export type Files = Readonly<Record<string, string>>

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
  const all = { 'tsconfig.json': JSON.stringify(TSCONFIG), 'resolve.mjs': RESOLVE, ...files }
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

/** Runs a program of the project; resolves with what it prints. */
export async function runProgram(folder: string, file: string, env: Readonly<Record<string, string>>): Promise<string> {
  return (await run(folder, ['--import', './resolve.mjs', file], env)).output.trim()
}

async function run(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; output: string }> {
  const { PATH = '' } = process.env
  const child = spawn(process.execPath, args, { cwd: folder, env: { PATH, ...env } })
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
