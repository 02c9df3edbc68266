import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative, sep } from 'node:path'
import { describe, expect, test } from 'vitest'

/** Each folder imports only from the folders before it. */
const FOLDERS = [
  'pool',
  'connection-string',
  'provider',
  'topology',
  'drivers',
  'postgres-errors',
  'budget',
  'statements',
  'pipelining',
  'adaptive',
  'fleet',
  'settings',
  'observe',
  'lifecycle',
  'dashboards',
  'guard',
]
/** Root files that every folder may import. */
const FOUNDATION = [
  'poolguard-error.ts',
  'invalid-option-error.ts',
  'invalid-answer-error.ts',
  'describe-value.ts',
  'known-secrets.ts',
  'omit-undefined.ts',
  'clock.ts',
  'node-util.ts',
  'redact.ts',
  'process-wide.ts',
  'row-reader.ts',
  'libpq-file.ts',
  'unicode-pattern.ts',
]

const root = import.meta.dirname

interface Import {
  readonly file: string
  readonly target: string
}

/** Every import and re-export of the sources without tests; relative ones as paths from the root. */
const imports: readonly Import[] = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .map((file) => file.split(sep).join('/'))
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.includes('/testing/'))
  .flatMap((file) => {
    // Without comments, whose examples import like an app.
    const text = readFileSync(join(root, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '')
    const specifiers = [...text.matchAll(/(?:\bfrom\s+|\bimport\s*\(?\s*)'([^']+)'/g)].map(
      ([, specifier = '']) => specifier,
    )
    return specifiers.map((specifier) => ({
      file,
      target: specifier.startsWith('.')
        ? relative(root, join(root, dirname(file), specifier))
            .split(sep)
            .join('/')
        : specifier,
    }))
  })

function folderOf(path: string): string | undefined {
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : undefined
}

const relativeImports = imports.filter(({ target }) => target.endsWith('.ts'))

function showing(found: readonly Import[]): string[] {
  return found.map(({ file, target }) => `${file} -> ${target}`)
}

describe('the folders of core', () => {
  test('are read by this test', () => {
    expect(showing(imports)).toContain('settings/resolve.ts -> pool/index.ts')
    const folders = readdirSync(root, { withFileTypes: true }).filter(
      (entry) => entry.isDirectory() && entry.name !== 'testing',
    )
    expect(FOLDERS).toEqual(expect.arrayContaining(folders.map(({ name }) => name)))
  })

  test('import only Node builtins and their own files', () => {
    const foreign = imports.filter(({ target }) => !target.startsWith('node:') && !target.endsWith('.ts'))
    const outside = relativeImports.filter(({ target }) => target.startsWith('..'))

    expect(showing([...foreign, ...outside])).toEqual([])
  })

  test('import only from the folders above them and from the foundation', () => {
    const upward = relativeImports.filter(({ file, target }) => {
      const from = folderOf(file)
      if (from === undefined) return false
      const to = folderOf(target)
      if (to === undefined) return !FOUNDATION.includes(target)
      return FOLDERS.indexOf(to) > FOLDERS.indexOf(from)
    })

    expect(showing(upward)).toEqual([])
  })

  test('are entered through their index.ts', () => {
    const past = relativeImports.filter(({ file, target }) => {
      const to = folderOf(target)
      return to !== undefined && to !== folderOf(file) && target !== `${to}/index.ts`
    })

    expect(showing(past)).toEqual([])
  })

  test('have a foundation that imports no folder', () => {
    const known = relativeImports.filter(
      ({ file, target }) => FOUNDATION.includes(file) && !FOUNDATION.includes(target),
    )

    expect(showing(known)).toEqual([])
  })

  // An import makes every export of the module ready: up to half a millisecond each, and 4 ms for node:util.
  test.each(['index.ts', 'adapter.ts'])(
    '%s loads no module of Node with an import, but with process.getBuiltinModule',
    (entry) => {
      const importing = loadedBy(entry).filter((file) =>
        /^import (?!type ).* from 'node:/m.test(readFileSync(join(root, file), 'utf8')),
      )

      expect(importing).toEqual([])
    },
  )

  // V8 reads the tables of such classes when it parses an expression.
  test.each(['index.ts', 'adapter.ts'])('%s loads no expression with Unicode classes, but UnicodePattern', (entry) => {
    const reading = loadedBy(entry).filter((file) =>
      /\\p\{.*\/[dgimsy]*[uv]/.test(readFileSync(join(root, file), 'utf8')),
    )

    expect(reading).toEqual([])
  })

  // Their number within pool/ does not matter: a bound on it would punish splitting a file that has grown too long.
  test('allow loading the engine alone: outside of pool/ it loads only 7 modules of the foundation', () => {
    const outside = loadedBy('pool/pool.ts').filter((file) => !file.startsWith('pool/'))

    expect(outside.filter((file) => !FOUNDATION.includes(file))).toEqual([])
    expect(outside.length).toBeLessThanOrEqual(7)
  })

  test('offer at most 30 values to applications', async () => {
    expect(Object.keys(await import('./index.ts')).length).toBeLessThanOrEqual(30)
  })
})

/** Every module that importing a module loads. Type imports load nothing. */
function loadedBy(entry: string): string[] {
  const loaded = new Set<string>()
  const pending = [entry]
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (loaded.has(file)) continue
    loaded.add(file)
    for (const specifier of valueImportsOf(file)) pending.push(posix.join(posix.dirname(file), specifier))
  }
  return [...loaded]
}

function valueImportsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '')
  const declarations = [...text.matchAll(/^(?:import|export) (?!type )([^;'"]*?) from '(\.[^']+)'/gm)]
  return declarations.flatMap(([, names = '', specifier = '']) => {
    const all = names
      .replaceAll(/[{}]/g, '')
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean)
    return all.every((name) => name.startsWith('type ')) ? [] : [specifier]
  })
}
