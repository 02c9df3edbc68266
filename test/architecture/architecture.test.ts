import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { findCycles, graphOf } from './cycles.ts'
import { type Import, readAllImports, readImports, specifiersOf } from './imports.ts'
import { foldersWithoutLayer, LAYERS, upwardImports } from './layers.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const imports = readImports(root)

describe('the sources of all packages', () => {
  test('are read by this test, types and imports of other packages included', () => {
    const found = imports.map(({ file, target }) => `${file} -> ${target}`)

    expect(found).toContain('packages/pg/src/guarded-pool.ts -> packages/pg/src/wire-client.ts')
    expect(found).toContain('packages/drizzle/src/postgres-js.ts -> packages/postgres-js/src/index.ts')
    expect(found).toContain('packages/nestjs/src/terminus.ts -> packages/nestjs/src/poolguard.ts')
  })

  test('import each other without a cycle, like everything else in the workspace', () => {
    const all = readAllImports(root)

    expect(all.map(({ file }) => file)).toContain('test/harness/index.ts')
    expect(all.length).toBeGreaterThan(imports.length)
    expect(findCycles(graphOf(all))).toEqual([])
  })

  test('import other packages of the workspace only through their public entries', () => {
    const past = imports.filter(
      ({ file, specifier, target }) =>
        (specifier.startsWith('.') && packageOf(target ?? '') !== packageOf(file)) ||
        (specifier.startsWith('@poolguard/') && target === undefined),
    )

    expect(past).toEqual([])
  })
})

describe.each(Object.entries(LAYERS))('the layers of %s', (name, layers) => {
  test('are all of its folders', () => {
    expect(foldersWithoutLayer(root, name, layers)).toEqual([])
  })

  test('know only those below them', () => {
    expect(upwardImports(imports, name, layers)).toEqual([])
  })
})

test('every package has its layers listed', () => {
  const packages = readdirSync(new URL('../../packages', import.meta.url)).filter((name) => name !== 'core')

  expect(Object.keys(LAYERS).sort()).toEqual(packages.sort())
})

describe('given sources that break the rules', () => {
  const made = (file: string, target: string): Import => ({ file, specifier: '', target })

  test('when types import each other in a circle, then the circle is shown', () => {
    const graph = graphOf([
      made('a.ts', 'b.ts'),
      made('b.ts', 'c.ts'),
      made('c.ts', 'b.ts'),
      made('c.ts', 'd.ts'),
      made('e.ts', 'e.ts'),
    ])

    expect(findCycles(graph)).toEqual(['b.ts -> c.ts -> b.ts', 'e.ts -> e.ts'])
  })

  test('when a layer imports one above it, then the import is shown', () => {
    const upward = upwardImports(
      [
        made('packages/pg/src/queries/a.ts', 'packages/pg/src/connection/b.ts'),
        made('packages/pg/src/connection/b.ts', 'packages/pg/src/queries/a.ts'),
        made('packages/pg/src/wire-client.ts', 'packages/pg/src/guarded-pool.ts'),
        made('packages/pg/src/guarded-pool.ts', 'packages/pg/src/wire-client.ts'),
        made('packages/cli/src/output/c.ts', 'packages/cli/src/commands/d.ts'),
      ],
      'pg',
      ['wire-client.ts', 'queries', 'connection'],
    )

    expect(upward).toEqual([
      'packages/pg/src/queries/a.ts -> packages/pg/src/connection/b.ts',
      'packages/pg/src/wire-client.ts -> packages/pg/src/guarded-pool.ts',
    ])
  })

  test('when something is imported in any form, then it is found, but not what comments and texts show', () => {
    const source = `
      import './a.ts'
      import type { B } from './b.ts'
      export { c } from './c.ts'
      export * from './d.ts'
      const e = await import('./e.ts')
      type F = typeof import('./f.ts')
      /** @example import { x } from './x.ts' */
      const text = "import { y } from './y.ts'"`

    expect(specifiersOf('made.ts', source)).toEqual(['./a.ts', './b.ts', './c.ts', './d.ts', './e.ts', './f.ts'])
  })
})

function packageOf(path: string): string | undefined {
  return /^packages\/[^/]+/.exec(path)?.[0]
}
