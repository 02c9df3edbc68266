import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { siteLink } from '../../docs/.vitepress/links.ts'
import { describePages } from '../../docs/.vitepress/llms.ts'
import { addressOf, pageOf, readGroups } from '../../docs/.vitepress/pages.ts'

test.each([
  ['README.md', '/'],
  ['README.zh-CN.md', '/zh/'],
  ['docs/README.md', '/contents'],
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
  const groups = readGroups()
  const links = groups.flatMap(({ items }) => items.map(({ link }) => link))
  for (const link of ['/getting-started', '/doctor/', '/security', '/changelog', '/observability'])
    expect(links).toContain(link)
  expect(groups.at(-1)?.items.map(({ text }) => text)).toEqual(readdirSync(new URL('../../packages', import.meta.url)))
})

test('the pages are described for language models', async () => {
  const text = await describePages(['docs/sizing.md', 'docs/faq.md'], 'Pools.')
  expect(text).toMatch(/^# poolguard\n\n> Pools\.\n\n## Pages\n\n- \[.+\]\(\/faq\)/)
  expect(text).toMatch(/\n- \[.+\]\(\/sizing\): [A-Z].+\n$/)
})
