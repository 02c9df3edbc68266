import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { siteLink } from '../../docs/.vitepress/links.ts'
import { describePages } from '../../docs/.vitepress/llms.ts'
import { addressOf, otherLanguage, pageOf, readGroups } from '../../docs/.vitepress/pages.ts'
import { wordsOf } from '../../docs/.vitepress/search.ts'

test.each([
  ['README.md', '/'],
  ['README.zh-CN.md', '/zh/'],
  ['docs/README.md', '/contents'],
  ['docs/zh/README.md', '/zh/contents'],
  ['docs/zh/sizing.md', '/zh/sizing'],
  ['docs/zh/doctor/README.md', '/zh/doctor/'],
  ['docs/pgbouncer.md', '/pgbouncer'],
  ['docs/doctor/README.md', '/doctor/'],
  ['docs/doctor/server-full.md', '/doctor/server-full'],
  ['packages/pg/README.md', '/packages/pg'],
  ['CHANGELOG.md', '/changelog'],
])('the document %s is the page %s', (document, address) => {
  expect(addressOf(pageOf(document))).toBe(address)
})

test.each([
  ['docs/faq.md', 'sizing.md#behind-pgbouncer', '/sizing#behind-pgbouncer'],
  ['docs/faq.md', '../packages/pg#fleet', '/packages/pg#fleet'],
  ['packages/pg/README.md', '../../docs/options.md', '/options'],
  ['README.md', 'docs', '/contents'],
  ['README.zh-CN.md', 'docs/zh', '/zh/contents'],
  ['docs/zh/faq.md', 'sizing.md', '/zh/sizing'],
  ['docs/zh/faq.md', '../options.md#health', '/options#health'],
  ['docs/zh/faq.md', '../../packages/pg', '/packages/pg'],
  [
    'packages/core/README.md',
    '../core/src/index.ts',
    'https://github.com/poolguard/poolguard/tree/main/packages/core/src/index.ts',
  ],
  ['README.md', 'https://www.postgresql.org/docs', 'https://www.postgresql.org/docs'],
  ['README.md', '#quick-start', '#quick-start'],
])('in %s, the link %s is %s on the site', (document, href, link) => {
  expect(siteLink(document, href)).toBe(link)
})

test('the navigation has every document that the list of documents has, and every package', () => {
  const groups = readGroups('docs/README.md', 'Packages')
  const links = groups.flatMap(({ items }) => items.map(({ link }) => link))
  for (const link of ['/getting-started', '/doctor/', '/security', '/changelog', '/observability'])
    expect(links).toContain(link)
  expect(groups.at(-1)?.items.map(({ text }) => text)).toEqual(readdirSync(new URL('../../packages', import.meta.url)))
})

test('the navigation in Chinese has the same groups and as many links, to Chinese pages where there are some', () => {
  const [english, chinese] = [readGroups('docs/README.md', 'Packages'), readGroups('docs/zh/README.md', '包')]
  expect(chinese.map(({ items }) => items.length)).toEqual(english.map(({ items }) => items.length))
  const links = chinese.flatMap(({ items }) => items.map(({ link }) => link))
  for (const link of ['/zh/getting-started', '/zh/sizing', '/benchmarks', '/packages/pg']) expect(links).toContain(link)
})

test.each([
  ['sizing.md', '/zh/sizing'],
  ['zh/sizing.md', '/sizing'],
  ['contents.md', '/zh/contents'],
  ['zh/contents.md', '/contents'],
  ['index.md', '/zh/'],
  ['zh/index.md', '/'],
  ['doctor/server-full.md', '/zh/doctor/server-full'],
  ['doctor/index.md', '/zh/doctor/'],
  ['zh/doctor/index.md', '/doctor/'],
  ['packages/pg.md', '/zh/'],
])('from the page %s, the link to the other language leads to %s', (page, address) => {
  expect(addressOf(otherLanguage(page))).toBe(address)
})

test('the search finds words within Chinese text, and the parts of names', () => {
  expect(wordsOf('连接池中间件（PgBouncer）的 max_client_conn')).toEqual(
    expect.arrayContaining(['连接', 'PgBouncer', 'max', 'client', 'conn']),
  )
})

test('the pages are described for language models', async () => {
  const text = await describePages(['docs/zh/faq.md', 'docs/sizing.md', 'docs/faq.md'], 'Pools.')
  expect(text).toMatch(/^# poolguard\n\n> Pools\.\n\n## Pages\n\n- \[.+\]\(\/faq\)/)
  expect(text).toMatch(/\n- \[.+\]\(\/sizing\): [A-Z].+\n$/)
  expect(text).not.toContain('/zh/')
})
