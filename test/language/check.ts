/**
 * Finds words that plain technical English does not use (patterns.ts) in comments, messages and documents. `remaining.json` holds
 * how many each file still has: the check fails where a file has more, and where it has fewer than recorded. `--write` records.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { findPatterns } from './patterns.ts'
import { type Prose, proseOfMarkdown, proseOfSource } from './prose.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const REMAINING = fileURLToPath(new URL('remaining.json', import.meta.url))
/** Generated, quoted from others, written in Chinese, or the patterns themselves. */
const EXCLUDED = /^docs\/api-reports\/|^\.changeset\/|^docs\/zh\/|\.zh-CN\.md$|\/fixtures\/|\.d\.ts$|^test\/language\//

const files = execFileSync('git', ['ls-files', '*.ts', '*.tsx', '*.mts', '*.md'], { cwd: ROOT, encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '' && !EXCLUDED.test(file))
const matches = new Map(files.map((file) => [file, matchesIn(file)] as const).filter(([, lines]) => lines.length > 0))
if (process.argv.includes('--write')) {
  const counts = Object.fromEntries([...matches].map(([file, lines]) => [file, lines.length]))
  writeFileSync(REMAINING, `${JSON.stringify(counts, null, 2)}\n`)
}
const recorded = JSON.parse(readFileSync(REMAINING, 'utf8')) as Readonly<Record<string, number>>
const more = [...matches].filter(([file, lines]) => lines.length > (recorded[file] ?? 0))
const fewer = Object.entries(recorded).filter(([file, count]) => (matches.get(file)?.length ?? 0) < count)
for (const [, lines] of more) for (const line of lines) console.error(line)
for (const [file, count] of fewer) {
  console.error(
    `${file}: has ${matches.get(file)?.length ?? 0}, ${count} are recorded: run node test/language/check.ts --write`,
  )
}
const total = [...matches.values()].reduce((sum, lines) => sum + lines.length, 0)
if (more.length + fewer.length === 0)
  console.log(`plain language: ${files.length} files, ${total} passages left to rewrite`)
process.exitCode = more.length + fewer.length === 0 ? 0 : 1

function matchesIn(file: string): readonly string[] {
  const text = readFileSync(`${ROOT}/${file}`, 'utf8')
  const prose: readonly Prose[] = file.endsWith('.md') ? proseOfMarkdown(text) : proseOfSource(file, text)
  return prose.flatMap(({ text: passage, line }) =>
    findPatterns(passage).map(
      ({ pattern, excerpt }) => `${file}:${line}: "${pattern.name}" in "${excerpt}"; write: ${pattern.instead}`,
    ),
  )
}
