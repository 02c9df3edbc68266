import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, dirname, join, posix } from 'node:path'
import { parseSync, Visitor } from 'oxc-parser'

/** One import, re-export or `typeof import()` of a source file. */
export interface Import {
  /** The importing file, from the root of the workspace. */
  readonly file: string
  /** As it is written. */
  readonly specifier: string
  /** The imported file, from the root of the workspace; undefined for builtins and packages of others. */
  readonly target: string | undefined
}

/** Whatever a source imports, types included. Examples in comments are not code and do not count. */
export function specifiersOf(file: string, source: string): readonly string[] {
  const { program, errors } = parseSync(file, source)
  if (errors.length > 0) throw new Error(`${file} cannot be parsed: ${errors[0]?.message}`)
  const specifiers: string[] = []
  const add = (node: object | null) => {
    const { value } = (node ?? {}) as { readonly value?: unknown }
    if (typeof value === 'string') specifiers.push(value)
  }
  new Visitor({
    ImportDeclaration: ({ source }) => add(source),
    ExportNamedDeclaration: ({ source }) => add(source),
    ExportAllDeclaration: ({ source }) => add(source),
    ImportExpression: ({ source }) => add(source),
    TSImportType: ({ source }) => add(source),
  }).visit(program)
  return specifiers
}

/** The imports of the packages' sources, their tests aside. */
export function readImports(root: string): readonly Import[] {
  return importsOf(
    root,
    globSync('packages/*/src/**/*.ts', { cwd: root }).filter((file) => !/\.test\.ts$|[\\/]testing[\\/]/.test(file)),
  )
}

/** The imports of everything that is written in TypeScript here: tests, their harness, examples. */
export function readAllImports(root: string): readonly Import[] {
  return importsOf(
    root,
    globSync('{packages/*/src,page,test,examples,observability}/**/*.{ts,tsx}', {
      cwd: root,
      exclude: (file) => MADE_BY_TOOLS.has(basename(file)) || file.endsWith('.d.ts'),
    }),
  )
}

const MADE_BY_TOOLS: ReadonlySet<string> = new Set([
  'node_modules',
  'dist',
  'generated',
  '.next',
  '.svelte-kit',
  '.react-router',
])

function importsOf(root: string, files: readonly string[]): readonly Import[] {
  const entries = readEntries(root)
  return files.flatMap((name) => {
    const file = name.replaceAll('\\', '/')
    return specifiersOf(file, readFileSync(join(root, file), 'utf8')).map((specifier) => {
      const isRelative = specifier.startsWith('.')
      const target = isRelative ? posix.join(dirname(file), specifier) : entries.get(specifier)
      return { file, specifier, target }
    })
  })
}

/** The public entries of the workspace's packages: `@poolguard/pg` leads to `packages/pg/src/index.ts`. */
export function readEntries(root: string): ReadonlyMap<string, string> {
  const entries = new Map<string, string>()
  for (const folder of globSync('{packages/*,page}', { cwd: root })) {
    const manifest = join(root, folder, 'package.json')
    if (!existsSync(manifest)) continue
    const { name, exports = {} } = JSON.parse(readFileSync(manifest, 'utf8'))
    for (const [subpath, file] of Object.entries(exports)) {
      if (typeof file === 'string') entries.set(posix.join(name, subpath), posix.join(folder, file))
    }
  }
  return entries
}
