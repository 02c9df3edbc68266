import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** The root of the repository. */
export const ROOT: string = path.resolve(import.meta.dirname, '../..')

/** Documents of the repository that are not pages of the site. */
export const NO_PAGES: readonly string[] = [
  ...['**/node_modules/**', '.*/**', 'sbom/**', 'test/**', 'docs/api-reports/**', 'docs/generated/**'],
  ...['packages/*/!(README).md', 'packages/*/*/**', 'examples/*/!(README).md', 'examples/*/*/**'],
]

const INDEXES: Readonly<Record<string, string>> = {
  'README.md': 'index.md',
  'README.zh-CN.md': 'zh/index.md',
  'docs/README.md': 'contents.md',
  'docs/zh/README.md': 'zh/contents.md',
}

/** The page of a document: both are paths, from the root of the repository and of the site. */
export function pageOf(document: string): string {
  const index = INDEXES[document]
  if (index !== undefined) return index
  const place = document.replace(/^docs\//, '').replace(/\/README\.md$/, '.md')
  return place.replace(/(^|\/)doctor\.md$/, '$1doctor/index.md').replace(/^[A-Z]+\.md$/, (name) => name.toLowerCase())
}

/** The page in the other language, English or Chinese; its home page if the page has no translation. */
export function otherLanguage(page: string): string {
  if (page.startsWith('zh/')) return page.slice('zh/'.length)
  const document = page.replace(/(^|\/)(?:index|contents)\.md$/, '$1README.md')
  const translation = pageOf(`docs/zh/${document}`)
  const isTranslated = translation === `zh/${page}` && existsSync(path.join(ROOT, 'docs/zh', document))
  return isTranslated ? translation : 'zh/index.md'
}

/** The address of a page on the site. */
export function addressOf(page: string): string {
  return `/${page.replace(/(^|\/)index\.md$/, '$1').replace(/\.md$/, '')}`
}

interface Group {
  readonly text: string
  readonly items: { readonly text: string; readonly link: string }[]
  readonly collapsed: boolean
}

/**
 * The groups of the navigation: the tables of the list of documents, then the packages.
 *
 * @param list the list of documents in the language of the navigation: docs/README.md, docs/zh/README.md.
 * @param packages the title of the packages in that language.
 */
export function readGroups(list: string, packages: string): Group[] {
  const sections = readFileSync(path.join(ROOT, list), 'utf8').split(/^## /m).slice(1)
  const groups = sections.map((section) => ({
    text: section.split('\n')[0]?.trim() ?? '',
    items: readItems(section, path.posix.dirname(list)),
    collapsed: false,
  }))
  const items = readdirSync(path.join(ROOT, 'packages')).map((name) => ({
    text: name,
    link: addressOf(`packages/${name}.md`),
  }))
  return [...groups.filter((group) => group.items.length > 0), { text: packages, items, collapsed: false }]
}

/** The links at the beginning of the rows of a table, which are relative to the folder. */
function readItems(section: string, folder: string): Group['items'] {
  return Array.from(section.matchAll(/^\| \[([^\]]+)\]\(([^)]+)\)/gm), ([, text = '', target = '']) => ({
    text,
    link: addressOf(pageOf(documentAt(path.posix.join(folder, target)))),
  }))
}

/** A link to a folder means its README. */
export function documentAt(place: string): string {
  return place.endsWith('.md') ? place : path.posix.join(place, 'README.md')
}
