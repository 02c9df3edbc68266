import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Import } from './imports.ts'

/**
 * The folders of each package's sources, and those files at their root that folders import, from the bottom up: each knows only
 * itself and the entries before it. Files at the root that are not listed are the package's face, and may import everything.
 * The layers of core have a test of their own, `packages/core/src/architecture.test.ts`.
 */
export const LAYERS: Readonly<Record<string, readonly string[]>> = {
  cli: [
    'outcome.ts',
    'output',
    'read-number.ts',
    'environment',
    'sessions',
    'source',
    'sqlite',
    'project',
    'sum',
    'connect-errors',
    'database',
    'target.ts',
    'recommend',
    'plan',
    'monitor',
    'stress',
    'endpoint',
    'doctor',
    'check',
    'init',
    'generate',
    'optimize',
    'free',
    'verify',
    'top',
    'ui',
    'agent-guide',
    'commands',
  ],
  drizzle: [],
  fastify: [],
  nestjs: [],
  pg: [
    'wire-client.ts',
    'call-app.ts',
    'guarded-pool-config.ts',
    'queries',
    'statements',
    'connection',
    'checkout',
    'listen',
    'observe',
  ],
  'postgres-js': ['internals.ts', 'guarded-options.ts', 'queries', 'connection', 'sql', 'observe'],
  prisma: [],
  sqlite: ['protocol.ts', 'wire.ts', 'errors.ts', 'thread', 'connection', 'wal', 'statements', 'transactions', 'pool'],
  typeorm: [],
  web: ['read-switch.ts', 'endpoints', 'requests', 'page', 'middleware'],
}

/** The folders of a package's sources that its layers do not list. */
export function foldersWithoutLayer(root: string, name: string, layers: readonly string[]): readonly string[] {
  return readdirSync(join(root, 'packages', name, 'src'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'testing' && !layers.includes(entry.name))
    .map((entry) => entry.name)
}

/** The imports of a package that lead from a layer to one above it, as `file -> target`. */
export function upwardImports(imports: readonly Import[], name: string, layers: readonly string[]): readonly string[] {
  const prefix = `packages/${name}/src/`
  const heightOf = (path: string): number => {
    const [first = ''] = path.slice(prefix.length).split('/')
    const height = layers.indexOf(first)
    return height < 0 ? layers.length : height
  }
  return imports.flatMap(({ file, target }) => {
    if (!file.startsWith(prefix) || !target?.startsWith(prefix)) return []
    return heightOf(target) > heightOf(file) ? [`${file} -> ${target}`] : []
  })
}
