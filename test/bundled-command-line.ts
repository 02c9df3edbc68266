import { createHash } from 'node:crypto'
import { globSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import type { TsdownBundle } from 'tsdown'
import { cached } from './harness/cache.ts'

const ROOT = join(import.meta.dirname, '..')
const PACKAGE = join(ROOT, 'packages/cli')
/** Beside the package's dependencies, because the bundle imports the live page from there. */
const BUNDLES = join(PACKAGE, 'node_modules/.cache/bundles')
const DAY_MILLIS = 86_400_000

/** Every file that a bundle can contain or depend on. The lock file stands for what is in `node_modules`. */
const INPUTS = [
  'packages/*/src/**/*.{ts,json}',
  'packages/*/{package.json,tsdown.config.ts}',
  '{tsdown.base.ts,tsconfig.base.json,pnpm-lock.yaml}',
  'test/bundled-command-line.ts',
]

/**
 * The path of the command line, bundled with its dependencies: each run takes half the processor time of one from its hundreds of source
 * files. The name of the bundle's folder is a hash of all sources, so a bundle is never older than the sources.
 */
export async function bundledCommandLine(): Promise<string> {
  mkdirSync(BUNDLES, { recursive: true })
  const folder = await cached(hashOfInputs(), bundle, BUNDLES)
  return join(folder, 'main.mjs')
}

function hashOfInputs(): string {
  const hash = createHash('sha256')
  for (const path of inputs().toSorted()) hash.update(path).update(readFileSync(join(ROOT, path)))
  return hash.digest('hex').slice(0, 16)
}

function inputs(): readonly string[] {
  return globSync(INPUTS, { cwd: ROOT, exclude: ['**/*.test.ts', '**/node_modules'] })
}

async function bundle(outDir: string): Promise<void> {
  removeOldBundles()
  const { build } = await import('tsdown')
  const { default: config } = await import('../packages/cli/tsdown.config.ts')
  const { bundles } = await build({
    ...config,
    config: false,
    cwd: PACKAGE,
    outDir,
    // For the stack of an uncaught error.
    sourcemap: true,
    // Built at its first use, as in the workspace.
    deps: { alwaysBundle: (id) => id !== '@poolguard/page', neverBundle: ['@poolguard/page'], onlyBundle: false },
    logLevel: 'error',
  })
  rejectUnknownInputs(bundles)
}

/** A file that the hash does not cover could change without a new bundle. */
function rejectUnknownInputs(bundles: readonly TsdownBundle[]): void {
  const known = new Set(inputs())
  const modules = bundles.flatMap(({ chunks }) =>
    chunks.flatMap((chunk) => ('moduleIds' in chunk ? chunk.moduleIds : [])),
  )
  const unknown = modules
    .filter((id) => id.startsWith(ROOT) && !id.includes(`${sep}node_modules${sep}`))
    .map((id) => relative(ROOT, id))
    .filter((path) => !known.has(path))
  if (unknown.length > 0) throw new Error(`the hash of the bundled command line leaves out ${unknown.join(', ')}`)
}

/** Every change of a source file leaves a bundle. Tests that still run may use one of today. */
function removeOldBundles(): void {
  for (const name of readdirSync(BUNDLES)) {
    const folder = join(BUNDLES, name)
    const changedAt = statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Infinity
    if (Date.now() - changedAt > DAY_MILLIS) rmSync(folder, { recursive: true, force: true })
  }
}
