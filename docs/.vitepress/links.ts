import { existsSync } from 'node:fs'
import path from 'node:path'
import type { MarkdownRenderer } from 'vitepress'
import { addressOf, documentAt, NO_PAGES, pageOf, ROOT } from './pages.ts'

const REPOSITORY = 'https://github.com/poolguard/poolguard/tree/main'

/** Turns the links of the documents, which hold on GitHub, into links of the site, or to GitHub for what is no page. */
export function linksOf(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push('poolguard-links', ({ tokens, env }) => {
    const document = path
      .relative(ROOT, env.realPath ?? env.path)
      .split(path.sep)
      .join('/')
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const href = token.attrGet('href')
      if (token.type === 'link_open' && href !== null) token.attrSet('href', siteLink(document, href))
    }
  })
}

/** @param document the document with the link, from the root of the repository. */
export function siteLink(document: string, href: string): string {
  if (href.startsWith('#') || /^[a-z]+:/i.test(href)) return href
  const [target = '', anchor] = href.split('#')
  const place = path.posix.join(path.posix.dirname(document), target)
  const linked = documentAt(place)
  const address = isPage(linked) ? addressOf(pageOf(linked)) : `${REPOSITORY}/${place}`
  return anchor === undefined ? address : `${address}#${anchor}`
}

function isPage(document: string): boolean {
  return existsSync(path.join(ROOT, document)) && !NO_PAGES.some((pattern) => path.matchesGlob(document, pattern))
}
