import { posix } from 'node:path'
import type { Expression, Module, Node } from './module.ts'

/** A node, and the source that it is in. */
export interface Place<N extends Node = Node> {
  readonly module: Module
  readonly node: N
}

/** The sources of an app, parsed when they are needed. */
export interface SourceGraph {
  /** The module of a file, relative to the project's root; undefined if there is none, or if it cannot be parsed. */
  readonly module: (file: string) => Module | undefined
  /** Directories that `~/` and `@/` stand for, relative to the project's root. */
  readonly aliasRoots: readonly string[]
}

const ENDINGS = [
  '',
  '.ts',
  '.tsx',
  '.mts',
  '.js',
  '.jsx',
  '.mjs',
  '.cjs',
  '.cts',
  '/index.ts',
  '/index.js',
  '/index.tsx',
]
/** `./db.js` is the file db.ts in TypeScript. */
const COMPILED: Readonly<Record<string, string>> = { '.js': '.ts', '.jsx': '.tsx', '.mjs': '.mts', '.cjs': '.cts' }

/** The module that an import of another source of the app leads to; undefined for packages. */
function importedModule(graph: SourceGraph, from: Module, source: string): Module | undefined {
  for (const base of candidates(graph, from.file, source)) {
    const ending = posix.extname(base)
    const compiled = COMPILED[ending]
    const files = compiled ? [base.slice(0, -ending.length) + compiled, base] : ENDINGS.map((each) => base + each)
    for (const file of files) {
      const module = graph.module(file)
      if (module) return module
    }
  }
  return undefined
}

function candidates({ aliasRoots }: SourceGraph, file: string, source: string): string[] {
  if (/^\.\.?(\/|$)/.test(source))
    return [posix.join(posix.dirname(file), source)].filter((path) => !path.startsWith('..'))
  const [, rest] = /^[@~#]\/(.*)$/.exec(source) ?? []
  return rest === undefined ? [] : aliasRoots.map((root) => posix.join(root, rest))
}

/** The expression that another source of the app exports. */
export function importedPlace(
  graph: SourceGraph,
  from: Module,
  { source, name }: { readonly source: string; readonly name: string },
): Place | undefined {
  const module = importedModule(graph, from, source)
  const node = module?.exports.get(name)
  return module && node ? { module, node: node as Expression } : undefined
}
