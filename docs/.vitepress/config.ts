import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { slug } from 'github-slugger'
import { defineConfig } from 'vitepress'
import { linksOf } from './links.ts'
import { describePages } from './llms.ts'
import { NO_PAGES, pageOf, readGroups } from './pages.ts'

const DESCRIPTION =
  'Connection pools for Prisma, Drizzle, TypeORM, pg and postgres.js that keep to what the database can give.'
const groups = readGroups().map(({ text, items }) => ({ text, items: [...items], collapsed: false }))
const libraryAt = (name: string) => fileURLToPath(import.meta.resolve(name))
let documents: readonly string[] = []

/** The documents of the repository as a site. Their links hold on GitHub; `linksOf` turns them into links of the site. */
export default defineConfig({
  title: 'poolguard',
  description: DESCRIPTION,
  srcDir: '..',
  srcExclude: [...NO_PAGES],
  rewrites: pageOf,
  cleanUrls: true,
  ignoreDeadLinks: 'localhostLinks',
  // Headings have the anchors that GitHub gives them.
  markdown: { config: linksOf, anchor: { slugify: slug } },
  // The pages lie outside of this package, where its libraries are not found.
  vite: { resolve: { alias: { 'vue/server-renderer': libraryAt('vue/server-renderer'), vue: libraryAt('vue') } } },
  locales: {
    root: { label: 'English', lang: 'en' },
    zh: { label: '中文', lang: 'zh-CN' },
  },
  themeConfig: {
    search: { provider: 'local' },
    nav: [
      { text: 'Getting started', link: '/getting-started' },
      { text: 'Options', link: '/options' },
      { text: 'Troubleshooting', link: '/troubleshooting' },
      { text: 'All pages', link: '/contents' },
    ],
    sidebar: groups,
    socialLinks: [{ icon: 'github', link: 'https://github.com/poolguard/poolguard' }],
    outline: { level: [2, 3] },
  },
  transformPageData({ filePath }) {
    documents = [...documents, filePath]
  },
  async buildEnd({ outDir }) {
    await writeFile(path.join(outDir, 'llms.txt'), await describePages([...new Set(documents)], DESCRIPTION))
  },
})
