import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { addressOf, pageOf, ROOT } from './pages.ts'

/**
 * The pages of the site for language models (https://llmstxt.org): the title of each page, its address, and its first sentence.
 * Translations have the same content and are left out.
 *
 * @param documents paths from the root of the repository.
 */
export async function describePages(documents: readonly string[], description: string): Promise<string> {
  const originals = documents.filter((document) => !pageOf(document).startsWith('zh/')).toSorted()
  const lines = await Promise.all(originals.map(describe))
  return `# poolguard\n\n> ${description}\n\n## Pages\n\n${lines.join('\n')}\n`
}

async function describe(document: string): Promise<string> {
  const text = await readFile(path.join(ROOT, document), 'utf8')
  const title = /^# (.+)$/m.exec(text)?.[1] ?? document
  const paragraph = text.split(/\n{2,}/).find((each) => /^(?:[A-Z]|`[^`])/.test(each)) ?? ''
  const [sentence = ''] = paragraph
    .replaceAll('\n', ' ')
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .split(/(?<=\.) /)
  return `- [${title}](${addressOf(pageOf(document))})${sentence && `: ${sentence}`}`
}
