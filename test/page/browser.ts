import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, chromium, type Page } from 'playwright-core'
import { findChromium } from '../harness/index.ts'

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Starts Chromium without a window. */
export function startBrowser(): Promise<Browser> {
  // A container has no sandbox for root, and little shared memory.
  const args = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu']
  return chromium.launch({ executablePath: findChromium(), args })
}

/** What went wrong in a page, as its console and its network show it. */
export interface PageLog {
  readonly problems: string[]
  /** The addresses of all requests. */
  readonly urls: string[]
}

export function follow(page: Page): PageLog {
  const log: PageLog = { problems: [], urls: [] }
  page.on('console', (message) => {
    if (message.type() === 'error') log.problems.push(message.text())
  })
  page.on('pageerror', (error) => log.problems.push(String(error)))
  page.on('request', (request) => log.urls.push(request.url()))
  return log
}

/** The violations that axe finds, one line each. */
export async function accessibilityViolations(page: Page): Promise<string[]> {
  // By the debugging protocol, which the page's Content-Security-Policy does not bind.
  await page.evaluate(axeSource)
  const violations = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: AxeViolation[] }> } }
    return (await axe.run()).violations
  })
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}: ${failureSummary}`),
  )
}

interface AxeViolation {
  readonly id: string
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[]
}
