import { readFile, stat } from 'node:fs/promises'
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
    const bytes = await bytesLoadedBy(path.join(folder, 'app/node_modules', name, entry), new Set())
    const kilobytes = Math.round(bytes / 1024)
    if (kilobytes > bound)
      problems.push(`an import of ${specifier} loads ${kilobytes} kB of its package, more than ${bound} kB`)
  }
  return problems
}

function entryOf({ exports }: Manifest, entry: string): string | undefined {
  return (exports[entry] as { import?: { default?: string } } | undefined)?.import?.default
}

/** The size of a module and of everything that it imports statically from its own package. */
async function bytesLoadedBy(file: string, loaded: Set<string>): Promise<number> {
  if (loaded.has(file)) return 0
  loaded.add(file)
  const source = await readFile(file, 'utf8')
  let bytes = (await stat(file)).size
  for (const [, specifier = ''] of source.matchAll(/^(?:import|export)\b[^;]*?\bfrom "(\.[^"]+)"/gm)) {
    bytes += await bytesLoadedBy(path.join(path.dirname(file), specifier), loaded)
  }
  return bytes
}
