import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { slug } from 'github-slugger'
import { lexer, type Token, type Tokens, walkTokens } from 'marked'
import { ROOT, readDocument, targetOf } from './documents.ts'

const CHINESE_README = 'README.zh-CN.md'
/** Paths of pages in Chinese, from the root. */
export const CHINESE_PAGES = /^docs\/zh\/|\.zh-CN\.md$/

const COMMENTS: readonly { readonly languages: RegExp; readonly comment: RegExp }[] = [
  { languages: /^(?:ts|js|diff)$/, comment: /(?<=^|\s)\/\/ .*$/gm },
  { languages: /^(?:sh|yaml|ini|text)$/, comment: /(?<=^|\s)[#;] .*$/gm },
  { languages: /^sql$/, comment: /(?<=^|\s)-- .*$/gm },
]

/** The anchors of the headings of pages that were read. */
const headings = new Map<string, readonly string[]>()

export interface TranslatedPage {
  /** The path of the page in English, from the root. */
  readonly english: string
  /** The path of its translation, from the root. */
  readonly chinese: string
}

/** Every page that has a Chinese version: the README, and the documents in docs/zh. */
export function translatedPages(): readonly TranslatedPage[] {
  const files = readdirSync(join(ROOT, 'docs/zh'), { recursive: true, encoding: 'utf8' })
  const names = files.filter((name) => name.endsWith('.md')).map((name) => name.split(sep).join('/'))
  return [
    { english: 'README.md', chinese: CHINESE_README },
    ...names.map((name) => ({ english: `docs/${name}`, chinese: `docs/zh/${name}` })),
  ]
}

export function readPage(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8').replaceAll('\r\n', '\n')
}

/** A heading, a paragraph, an item of a list, a table, a row of it, or a block of code. */
export interface Block {
  /** What it is, with the code and the links in it, each once and sorted, because word order differs between languages. */
  readonly structure: string
  readonly numbers: readonly string[]
}

/** The blocks of a page. A translation changes neither their order nor the code, the links and the numbers in them. */
export function blocksOf(path: string, text: string): readonly Block[] {
  return lexer(text).flatMap((token): readonly Block[] => {
    const block = (kind: string, tokens: readonly Token[]) => readBlock(path, kind, tokens)
    if (token.type === 'space') return []
    if (token.type === 'heading') return [block(`heading ${token.depth}`, token.tokens ?? [])]
    if (token.type === 'code') return [{ structure: codeOf(token as Tokens.Code), numbers: [] }]
    if (token.type === 'list') return (token as Tokens.List).items.map(({ tokens }) => block('item', tokens))
    if (token.type === 'html') return [{ structure: `html ${addressesOf(path, token.text).join(' ')}`, numbers: [] }]
    if (token.type !== 'table') return [block(token.type, 'tokens' in token ? (token.tokens ?? []) : [])]
    const { header, rows } = token as Tokens.Table
    return [header, ...rows].map((cells, index) =>
      block(
        index === 0 ? `table of ${header.length} columns` : 'row',
        cells.flatMap(({ tokens }) => tokens),
      ),
    )
  })
}

/** What is wrong with a translation: pairs of the first blocks that differ, and numbers that it lacks. */
export function differences(english: readonly Block[], chinese: readonly Block[]): readonly string[] {
  const length = Math.max(english.length, chinese.length)
  for (let index = 0; index < length; index += 1) {
    const [original, translation] = [english[index], chinese[index]]
    if (original?.structure !== translation?.structure)
      return [`block ${index + 1}:\n  ${original?.structure}\n  ${translation?.structure}`]
    // A translation may write words as numbers: two, November.
    const missing = (original?.numbers ?? []).filter((number) => !translation?.numbers.includes(number))
    if (missing.length > 0) return [`block ${index + 1}: ${original?.structure}\n  lacks ${missing.join(', ')}`]
  }
  return []
}

function readBlock(path: string, kind: string, tokens: readonly Token[]): Block {
  const parts = new Set<string>()
  const numbers = new Set<string>()
  walkTokens([...tokens], (token) => {
    if (token.type === 'codespan') parts.add(`\`${token.text}\``)
    else if (token.type === 'code') parts.add(codeOf(token as Tokens.Code))
    else if (token.type === 'link' || token.type === 'image') parts.add(`to ${linkOf(path, token.href)}`)
    else if (token.type === 'text' && !('tokens' in token))
      for (const [number] of token.text.matchAll(/\d(?:[\d.,]*\d)?/g)) numbers.add(number)
  })
  // Each page links to the other one.
  parts.delete(`to ${pairOf(path)}`)
  return { structure: [kind, ...[...parts].toSorted()].join(' | '), numbers: [...numbers] }
}

function codeOf({ lang = '', text }: Tokens.Code): string {
  const rule = COMMENTS.find(({ languages }) => languages.test(lang))
  return `code ${lang}\n${rule === undefined ? text : text.replaceAll(rule.comment, '(comment)')}`
}

function addressesOf(path: string, html: string): readonly string[] {
  return [...html.matchAll(/(?:src|srcset|href)="([^"]*)"/g)].map(([, address = '']) => linkOf(path, address))
}

/** Passages without a space between Chinese and Latin words, or with punctuation of the other width. */
export function crowdedPassages(text: string): readonly string[] {
  const prose = text
    .replaceAll(/^( *```)[^\n]*\n[\s\S]*?^\1$/gm, '')
    .replaceAll(/`[^`\n]*`/g, 'x')
    .replaceAll(/\]\([^)\n]*\)|!?\[|[*_]/g, '')
  return [...prose.matchAll(/.{0,9}(?:\p{Script=Han}[\w,:;?!(]|[\w,;?!)]\p{Script=Han}).{0,9}/gu)].map(
    ([passage]) => passage,
  )
}

/** Where a link leads, as the path in English if there is a Chinese one, so that both pages give the same. */
function linkOf(path: string, href: string): string {
  if (/^[a-z]+:/.test(href)) return href
  const target = targetOf(readDocument(path, ''), href)
  const isChinese = CHINESE_PAGES.test(path)
  const chinese = chineseOf(target.path)
  if (isChinese && target.path !== chinese) {
    const english = englishOf(target.path)
    if (english !== target.path) return english + anchorOf(target.path, english, target.anchor)
    if (chinese !== undefined && englishOf(path) !== target.path) return `${chinese}, which exists in Chinese`
  }
  return target.path + (target.anchor === '' ? '' : `#${target.anchor}`)
}

/** The anchor that the heading at the same position has in English. */
function anchorOf(chinese: string, english: string, anchor: string): string {
  if (anchor === '') return ''
  const position = headingsOf(chinese).indexOf(anchor)
  return `#${headingsOf(english)[position] ?? `no heading ${anchor}`}`
}

function headingsOf(path: string): readonly string[] {
  const known = headings.get(path)
  if (known !== undefined) return known
  const found = lexer(readPage(path)).flatMap((token) =>
    token.type === 'heading' ? [slug((token as Tokens.Heading).text)] : [],
  )
  headings.set(path, found)
  return found
}

function pairOf(path: string): string {
  return CHINESE_PAGES.test(path) ? englishOf(path) : (chineseOf(path) ?? '')
}

function englishOf(path: string): string {
  return path === CHINESE_README ? 'README.md' : path.replace(/^docs\/zh\//, 'docs/')
}

/** The path of the Chinese version, if there is one. */
function chineseOf(english: string): string | undefined {
  const path = english === 'README.md' ? CHINESE_README : english.replace(/^docs\/(?!zh\/)/, 'docs/zh/')
  return path !== english && existsSync(join(ROOT, path)) ? path : undefined
}
