import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { slug } from 'github-slugger'
import { defineConfig } from 'vitepress'
import { accessibleTheme } from './accessible-theme.ts'
import { CHINESE_DESCRIPTION, CHINESE_SEARCH, CHINESE_THEME } from './chinese.ts'
import { linksOf } from './links.ts'
import { describePages } from './llms.ts'
import { addressOf, NO_PAGES, otherLanguage, pageOf, readGroups } from './pages.ts'
import { wordsOf } from './search.ts'

const DESCRIPTION =
  'Connection pools for Prisma, Drizzle, TypeORM, pg and postgres.js that keep to what the database can give.'
let documents: readonly string[] = []

/** The documents of the repository as a site. Their links hold on GitHub; `linksOf` turns them into links of the site. */
export default defineConfig({
  title: 'poolguard',
  description: DESCRIPTION,
  srcDir: '..',
  srcExclude: [...NO_PAGES],
  rewrites: pageOf,
  cleanUrls: true,
  // The theme shows the language of a code block in a grey with too little contrast.
  head: [['style', {}, ':root:root { --vp-code-lang-color: var(--vp-c-text-2) }']],
  ignoreDeadLinks: 'localhostLinks',
  markdown: {
    config: linksOf,
    // Headings have the anchors that GitHub gives them.
    anchor: { slugify: slug },
    // The themes without "high contrast" have greys and oranges below the ratio of 4.5 that WCAG asks for.
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
  },
  vite: {
    plugins: [
      accessibleTheme,
      {
        name: 'vue-of-this-package',
        enforce: 'pre',
        // The pages lie outside of this package, where Vue is not found.
        resolveId(source) {
          const isVue = source === 'vue' || source === 'vue/server-renderer'
          return isVue ? this.resolve(source, import.meta.filename, { skipSelf: true }) : null
        },
      },
    ],
    // The theme's own links to the other language lead nowhere on pages without a translation.
    resolve: {
      alias: [{ find: /^.*\/composables\/langs$/, replacement: path.join(import.meta.dirname, 'languages.ts') }],
    },
  },
  locales: {
    root: { label: 'English', lang: 'en' },
    zh: { label: '中文', lang: 'zh-CN', description: CHINESE_DESCRIPTION, themeConfig: CHINESE_THEME },
  },
  themeConfig: {
    search: {
      provider: 'local',
      options: { miniSearch: { options: { tokenize: wordsOf } }, locales: { zh: { translations: CHINESE_SEARCH } } },
    },
    nav: [
      { text: 'Getting started', link: '/getting-started' },
      { text: 'Options', link: '/options' },
      { text: 'Troubleshooting', link: '/troubleshooting' },
      { text: 'All pages', link: '/contents' },
    ],
    sidebar: readGroups('docs/README.md', 'Packages'),
    socialLinks: [{ icon: 'github', link: 'https://github.com/poolguard/poolguard' }],
    outline: { level: [2, 3] },
  },
  transformPageData({ filePath, relativePath, frontmatter }) {
    documents = [...documents, filePath]
    return { frontmatter: { ...frontmatter, otherLanguage: addressOf(otherLanguage(relativePath)) } }
  },
  async buildEnd({ outDir }) {
    await writeFile(path.join(outDir, 'llms.txt'), await describePages([...new Set(documents)], DESCRIPTION))
  },
})
