import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { slug } from 'github-slugger'
import { lexer } from 'marked'
import { codeOf } from './compile.ts'
import { ROOT } from './documents.ts'

/** The guide for coding assistants: its text is written here, its snippets are those of other documents. */
export const GUIDE = 'docs/agent-guide.md'
/** The same guide, as `poolguard agent-guide` prints it. */
export const PRINTED_GUIDE = 'packages/cli/src/agent-guide/guide.json'

const REPOSITORY = 'https://github.com/poolguard/poolguard'
/** `<!-- docs/getting-started.md#drizzle 2 -->`: the second block of code of that section, followed by the block as it was. */
const SNIPPET = /^<!-- ([\w./-]+\.md)#([\w-]+)(?: (\d+))? -->\n(?:\n```\w+\n[\s\S]*?\n```\n)?/gm

export function readGuide(): string {
  return readFileSync(join(ROOT, GUIDE), 'utf8').replaceAll('\r\n', '\n')
}

/** The guide with its snippets as they are in the documents that they come from. */
export function withSnippets(guide: string): string {
  return guide.replaceAll(SNIPPET, (_, path: string, heading: string, number = '1') => {
    const { language, code } = findBlock(path, heading, Number(number))
    const marker = `<!-- ${path}#${heading}${number === '1' ? '' : ` ${number}`} -->`
    return `${marker}\n\n\`\`\`${language}\n${code.trim()}\n\`\`\`\n`
  })
}

/** The block of code; of a diff, the code that it leads to, which has to be formatted: Biome formats it only in the guide. */
function findBlock(path: string, heading: string, number: number): { language: string; code: string } {
  let section = ''
  let count = 0
  for (const token of lexer(readFileSync(join(ROOT, path), 'utf8'))) {
    if (token.type === 'heading') section = slug(token.text)
    if (token.type !== 'code' || section !== heading) continue
    count += 1
    if (count !== number) continue
    const block = { place: path, language: token.lang ?? '', code: token.text }
    return { language: block.language === 'diff' ? 'ts' : block.language, code: codeOf(block) ?? block.code }
  }
  throw new Error(`${path}#${heading} has ${count} blocks of code, and the guide shows number ${number}`)
}

/** The content of `guide.json`: the parts of the guide, without markers and padding in tables, and with links that hold everywhere. */
export function printedGuide(guide: string): string {
  const text = guide
    .replaceAll(/^<!-- .* -->\n\n/gm, '')
    .replaceAll(/^\|.*\|$/gm, (row) => row.replaceAll(/ +\|/g, ' |').replaceAll(/-{4,}/g, '---'))
    .replaceAll(/(?<=\]\()(?!https?:|#)([^)#]+)/g, (_, target: string) => addressOf(target))
  const [introduction = '', ...parts] = text.split(/^## /m).map((each) => each.trim())
  const entries = parts.map((part) => ({ title: part.slice(0, part.indexOf('\n')), text: `## ${part}` }))
  return `${JSON.stringify({ introduction, parts: entries }, null, 2)}\n`
}

function addressOf(target: string): string {
  return `${REPOSITORY}/${target.endsWith('.md') ? 'blob' : 'tree'}/main/${posix.join('docs', target)}`
}
