import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './documents.ts'

/** The texts of the sources of packages, tests aside. */
export function sourceTexts(packages: readonly string[] = readdirSync(join(ROOT, 'packages'))): readonly string[] {
  return packages.flatMap((name) => {
    const folder = join(ROOT, 'packages', name, 'src')
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    return files
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.includes('testing'))
      .map((file) => readFileSync(join(folder, file), 'utf8'))
  })
}

/** The names that an exported interface of a package declares itself, in their order. */
export function membersOf(packageName: string, interfaceName: string): readonly string[] {
  for (const text of sourceTexts([packageName])) {
    const start = text.search(new RegExp(`export interface ${interfaceName}\\b`))
    if (start < 0) continue
    const body = text.slice(start, text.indexOf('\n}', start))
    return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name = '']) => name)
  }
  throw new Error(`@poolguard/${packageName} exports no interface ${interfaceName}`)
}
