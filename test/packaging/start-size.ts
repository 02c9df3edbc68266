import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Manifest } from './manifest.ts'

/**
 * Upper bounds for the code that an import of an entry loads, in kilobytes: compiling it is most of an import's time. Code that few
 * processes need (a fleet's membership, detection, scraping of other servers) belongs behind a dynamic import.
 */
const MAX_KILOBYTES: Readonly<Record<string, number>> = {
  '@poolguard/core': 188,
  '@poolguard/core/adapter': 281,
  '@poolguard/pg': 35,
  '@poolguard/postgres-js': 38,
}

/** Names the entries of installed packages that load more than their bound, and by how much. */
export async function checkStartSizes(manifests: readonly Manifest[], folder: string): Promise<string[]> {
  const problems: string[] = []
  for (const [specifier, bound] of Object.entries(MAX_KILOBYTES)) {
    const name = specifier.split('/').slice(0, 2).join('/')
    const manifest = manifests.find((each) => each.name === name)
    const entry = manifest && entryOf(manifest, `.${specifier.slice(name.length)}`)
    if (!entry) {
      problems.push(`${specifier} has no ES module to load`)
      continue
    }
    const files = await filesLoadedBy(path.join(folder, 'app/node_modules', name, entry))
    const kilobytes = Math.round([...files.values()].reduce((sum, source) => sum + Buffer.byteLength(source), 0) / 1024)
    if (kilobytes > bound)
      problems.push(`an import of ${specifier} loads ${kilobytes} kB of its package, more than ${bound} kB`)
    for (const [file, source] of files) problems.push(...findBeyondAscii(file, source))
  }
  return problems
}

/** One character beyond ASCII makes Node decode the whole file to two bytes for each character, which V8 compiles more slowly. */
function findBeyondAscii(file: string, source: string): string[] {
  const line = source.split('\n').find((each) => /[^\0-\x7f]/.test(each))
  return line === undefined ? [] : [`${file}: write \\u escapes for characters beyond ASCII: ${line.trim()}`]
}

function entryOf({ exports }: Manifest, entry: string): string | undefined {
  return (exports[entry] as { import?: { default?: string } } | undefined)?.import?.default
}

/** The sources of a module and of everything that it imports statically from its own package, by their paths. */
async function filesLoadedBy(file: string, loaded = new Map<string, string>()): Promise<ReadonlyMap<string, string>> {
  if (loaded.has(file)) return loaded
  const source = await readFile(file, 'utf8')
  loaded.set(file, source)
  for (const [, specifier = ''] of source.matchAll(/^(?:import|export)\b[^;]*?\bfrom "(\.[^"]+)"/gm)) {
    await filesLoadedBy(path.join(path.dirname(file), specifier), loaded)
  }
  return loaded
}
