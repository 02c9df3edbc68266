import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { slug } from 'github-slugger'
import { lexer, type Token, type Tokens, walkTokens } from 'marked'

export const ROOT: string = join(import.meta.dirname, '../..')

/** Folders that hold no text of ours. */
const ELSEWHERE = new Set([
  'node_modules',
  'dist',
  'generated',
  'api-reports',
  '.git',
  '.changeset',
  '.turbo',
  'fixtures',
])

export interface CodeBlock {
  /** From the root, with its line: where to look when it does not compile. */
  readonly place: string
  readonly language: string
  readonly code: string
}

export interface Document {
  /** From the root, with forward slashes. */
  readonly path: string
  readonly blocks: readonly CodeBlock[]
  /** What stands in code within a line. */
  readonly codeSpans: readonly string[]
  /** Where its links lead. */
  readonly links: readonly string[]
  /** What a link may name after `#`. */
  readonly anchors: ReadonlySet<string>
}

/** Every Markdown file that people read. */
export function documents(): readonly Document[] {
  return markdownFiles(ROOT).map((file) => {
    const text = readFileSync(file, 'utf8').replaceAll('\r\n', '\n')
    return readDocument(relative(ROOT, file).split(sep).join('/'), text)
  })
}

function markdownFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return ELSEWHERE.has(entry.name) ? [] : markdownFiles(join(folder, entry.name))
    return entry.name.endsWith('.md') ? [join(folder, entry.name)] : []
  })
}

export function readDocument(path: string, text: string): Document {
  const blocks: CodeBlock[] = []
  const codeSpans: string[] = []
  const links: string[] = []
  const anchors = new Set<string>()
  let searchedTo = 0
  walkTokens(lexer(text), (token: Token) => {
    if (token.type === 'code') {
      const { raw, lang = '', text: code } = token as Tokens.Code
      searchedTo = text.indexOf(raw, searchedTo)
      const line = text.slice(0, searchedTo).split('\n').length + 1
      blocks.push({ place: `${path}:${line}`, language: lang, code })
    } else if (token.type === 'codespan') codeSpans.push((token as Tokens.Codespan).text)
    else if (token.type === 'link') links.push((token as Tokens.Link).href)
    else if (token.type === 'heading') anchors.add(slug((token as Tokens.Heading).text))
  })
  return { path, blocks, codeSpans, links, anchors }
}

/** Where a relative link leads, from the root; of a folder that is its README. */
export function targetOf(document: Document, link: string): { readonly path: string; readonly anchor: string } {
  const [path = '', anchor = ''] = link.split('#')
  if (path === '') return { path: document.path, anchor }
  const target = join(dirname(document.path), path)
  const isFolder = existsSync(join(ROOT, target, 'README.md'))
  return { path: (isFolder ? join(target, 'README.md') : target).split(sep).join('/'), anchor }
}
