import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { CodeBlock } from './documents.ts'

const FOLDER = join(import.meta.dirname, 'generated')

/**
 * Checks the TypeScript among the blocks with the compiler, each as a module of its own in which the names of `reader.d.ts` are
 * known. Of a diff, what it leads to.
 *
 * @returns what the compiler says, with the place of the block.
 */
export async function compile(blocks: readonly CodeBlock[]): Promise<readonly string[]> {
  rmSync(FOLDER, { recursive: true, force: true })
  mkdirSync(FOLDER)
  const places = new Map<string, string>()
  for (const block of blocks) {
    const code = codeOf(block)
    if (code === undefined) continue
    const file = `${block.place.replaceAll(/[/:]/g, '_')}.ts`
    places.set(file, block.place)
    writeFileSync(join(FOLDER, file), `${code}\nexport {}\n`)
  }
  return (await runCompiler())
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.replace(/^(?:docs\/)?generated\/([^(]+)/, (_, file: string) => places.get(file) ?? file))
}

/** The TypeScript of a block; of a diff, what it leads to. Undefined for other languages. */
export function codeOf({ language, code }: CodeBlock): string | undefined {
  if (language === 'ts') return code
  if (language !== 'diff') return undefined
  const lines = code.split('\n').filter((line) => !line.startsWith('-'))
  return lines.map((line) => line.slice(2)).join('\n')
}

function runCompiler(): Promise<string> {
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
  const args = [compiler, '-p', import.meta.dirname, '--pretty', 'false']
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      args,
      { cwd: import.meta.dirname, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        resolve(error ? stdout + stderr || error.message : stdout)
      },
    )
  })
}
