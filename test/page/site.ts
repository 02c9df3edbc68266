/** Opens the built documentation site in Chromium: its scripts run, the search finds pages, each page links to the other language, and axe finds no obstacle. */

import { existsSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import type { Page } from 'playwright-core'
import { ROOT } from '../docs/documents.ts'
import { findChromium } from '../harness/index.ts'
import { accessibilityViolations, startBrowser } from './browser.ts'

const SITE = join(ROOT, 'docs/.vitepress/dist')
const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }

/** A search of each language, with the title of a page that it has to find. */
const SEARCHES = [
  { start: '/sizing', text: 'prepared statements', finds: 'Prepared statements' },
  { start: '/zh/sizing', text: '预编译语句', finds: '预编译语句' },
]
/** Pages, with where their links to the other language lead. */
const LANGUAGES = [
  { path: '/zh/sizing', link: '/sizing' },
  { path: '/sizing', link: '/zh/sizing' },
  { path: '/packages/pg', link: '/zh/' },
]
/** Pages in which axe looks for what keeps readers out. */
const ACCESSIBLE = ['/', '/zh/', '/getting-started', '/json']

if (canOpenBrowser()) await checkSite()

/** Without Chromium, the site is not checked; in CI that is an error. */
function canOpenBrowser(): boolean {
  try {
    findChromium()
    return true
  } catch (error) {
    if (process.env.CI === 'true') throw error
    console.warn(`The documentation site was not opened in a browser: ${(error as Error).message}`)
    return false
  }
}

async function checkSite(): Promise<void> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  const browser = await startBrowser()
  try {
    const page = await browser.newPage({ viewport: { width: 1400, height: 900 } })
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(String(error)))
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    for (const { start, text, finds } of SEARCHES) {
      await page.goto(`${origin}${start}`)
      await search(page, text)
      await page.locator('.result', { hasText: finds }).first().waitFor()
    }
    for (const { path, link } of LANGUAGES) {
      await page.goto(`${origin}${path}`)
      await page.locator(`.VPNavBarTranslations a[href="${link}"]`).waitFor({ state: 'attached' })
    }
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      for (const path of ACCESSIBLE) {
        await page.goto(`${origin}${path}`)
        errors.push(
          ...(await accessibilityViolations(page)).map((violation) => `${path}, ${colorScheme}: ${violation}`),
        )
      }
    }
    for (const error of errors) console.error(error)
    if (errors.length === 0)
      console.log('the documentation site in Chromium: scripts, search, languages and accessibility are fine')
    process.exitCode = errors.length === 0 ? 0 : 1
  } finally {
    await browser.close()
    server.close()
  }
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const { pathname } = new URL(request.url ?? '/', 'http://site')
  const page = pathname.endsWith('/') ? `${pathname}index` : pathname
  const file = join(SITE, extname(page) === '' ? `${page}.html` : page)
  if (!existsSync(file)) response.writeHead(404).end()
  else response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'text/plain' }).end(readFileSync(file))
}

async function search(page: Page, text: string): Promise<void> {
  await page.locator('#local-search button').click()
  await page.locator('.search-input').fill(text)
}
