import type { MetricsSources } from '@poolguard/core'
import poolguard from '@poolguard/fastify'
import { postgresSource } from '@poolguard/pg'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeWithChromium, type PostgresServer, startPostgres } from '../harness/index.ts'
import { accessibilityViolations, follow, type PageLog, startBrowser } from './browser.ts'
import { makeOrders, type StagedIncident, stageIncident } from './staged-incident.ts'

const TOKEN = 'the-admin-token-of-this-test'
const WIDE = { viewport: { width: 1_280, height: 900 } }
/** As the page promises; a busy machine gets more. */
const SOON = { timeout: 15_000 }

const describe = await describeWithChromium()

describe('the live page', () => {
  let server: PostgresServer
  let browser: Browser
  let app: FastifyInstance
  let incident: StagedIncident
  let address: string
  const log: string[] = []

  beforeAll(async () => {
    server = await startPostgres({ maxConnections: 50 })
    await makeOrders(server.url)
    app = await startApp(log, [postgresSource(server.url)])
    address = addressOf(app)
    browser = await startBrowser()
    // Builds the page, which keeps the event loop busy: what the incident's connections do meanwhile would count as its fault.
    await fetch(`${address}/admin/poolguard`)
    incident = await stageIncident(server.url)
  })
  afterAll(async () => {
    await browser?.close()
    await incident?.end()
    await app?.close()
    await server?.stop()
  })

  /** Opens the page, and closes it after the test. */
  async function open(options: BrowserContextOptions = WIDE): Promise<{ page: Page; log: PageLog } & AsyncDisposable> {
    const context = await browser.newContext(options)
    const page = await context.newPage()
    page.setDefaultTimeout(SOON.timeout)
    const pageLog = follow(page)
    await page.goto(`${address}/admin/poolguard`)
    return { page, log: pageLog, [Symbol.asyncDispose]: () => context.close() }
  }

  async function logIn(page: Page): Promise<void> {
    await page.getByLabel('Admin token').fill(TOKEN)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('heading', { name: 'Pools' }).waitFor()
  }

  test('asks for the admin token, keeps the session, and ends it', async () => {
    await using opened = await open()
    const { page } = opened
    await page.getByLabel('Admin token').fill('a wrong token')
    await page.keyboard.press('Enter')
    await page.getByText('This is not the admin token.').waitFor()
    expect((await page.request.get(`${address}/admin/poolguard?get=data`)).status()).toBe(401)

    await logIn(page)
    const [cookie, ...others] = await page.context().cookies()
    expect(others).toEqual([])
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' })
    await page.reload()
    await page.getByRole('heading', { name: 'Pools' }).waitFor()

    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByLabel('Admin token').waitFor()
    expect(await page.context().cookies()).toEqual([])
  })

  test('names the leak, the lock, the unused transaction and N+1', async () => {
    await using opened = await open()
    const { page } = opened
    await logIn(page)
    const findings = page.getByRole('region', { name: 'Findings' })
    const holders = page.getByRole('region', { name: 'Connections in use' })

    // A slow machine may have further findings of the same kind, such as a lock that is held for long.
    await findings.getByText('The same statement many times in one request (N+1)').first().waitFor()
    await findings
      .getByText(/`GET \/orders` runs `select \* from orders where id = \$1` up to 20 times/)
      .first()
      .waitFor()
    await findings.getByText('A transaction waits for something other than the database').first().waitFor()
    await findings
      .getByText(/`POST \/checkout` holds a connection/)
      .first()
      .waitFor()
    await findings
      .getByText(/Held by: .*GET \/reports\/:id/)
      .first()
      .waitFor()
    const leak = holders.getByRole('listitem').filter({ hasText: 'GET /reports/:id' })
    await leak.getByText('Suspected leak').waitFor()
    await leak.getByText('select count(*) from orders where status = $1').waitFor()
    const locking = holders.getByRole('listitem').filter({ hasText: 'POST /refunds' })
    await locking.getByText(/idle in transaction for/).waitFor()
    const blocked = holders.getByRole('listitem').filter({ hasText: 'PUT /orders/:id' })
    await blocked.getByText(/running for/).waitFor()
    await blocked.getByText('update orders set status = $1 where id = $2').waitFor()
    await page
      .getByRole('region', { name: 'Events' })
      .getByText(/A query has been running for/)
      .first()
      .waitFor()

    await leak.getByText('Stack').click()
    await leak.getByText(/staged-incident\.ts/).waitFor()
  })

  test('shows callers that wait, within two seconds, and when they have left', async () => {
    await using opened = await open()
    const { page } = opened
    await logIn(page)
    const waiters = page.getByRole('region', { name: 'Waiting callers' })
    await waiters.getByText('No caller waits.').waitFor()

    const { done, release } = incident.occupy('GET /invoices', 4)
    const began = performance.now()
    await waiters.getByRole('listitem').filter({ hasText: 'GET /invoices' }).first().waitFor()
    console.info(`visible after ${Math.round(performance.now() - began)} ms`)
    await page.getByRole('article', { name: 'Pool orders' }).getByText('5 of 5').waitFor()
    release()
    await done
    await waiters.getByText('No caller waits.').waitFor()
  })

  test('connects again after the server has been restarted', async () => {
    await using opened = await open()
    const { page } = opened
    await logIn(page)
    await page.getByText('Live').waitFor()
    await app.close()
    await page.getByText(/Connection lost\. Figures from/).waitFor()
    app = await startApp(log, [], Number(new URL(address).port))
    await page.getByText('Live').waitFor()
    await page.getByRole('article', { name: 'Pool orders' }).waitFor()
  })

  test.each<[name: string, options: BrowserContextOptions]>([
    ['a wide screen', WIDE],
    ['a phone in the dark', { viewport: { width: 375, height: 800 }, colorScheme: 'dark' }],
  ])('is accessible on %s, and nothing is wider than the screen', async (_name, options) => {
    await using opened = await open(options)
    const { page, log: pageLog } = opened
    expect(await accessibilityViolations(page)).toEqual([])
    await logIn(page)
    await page.getByRole('region', { name: 'Connections in use' }).getByRole('listitem').first().waitFor()
    await page.getByText('Stack').first().click()
    expect(await accessibilityViolations(page)).toEqual([])
    const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth')
    expect(overflow).toBeLessThanOrEqual(0)
    // A violation of the Content-Security-Policy is an error in the console.
    expect(pageLog.problems).toEqual([])
  })

  test('speaks Chinese to a Chinese browser, and switches', async () => {
    await using opened = await open({ ...WIDE, locale: 'zh-CN' })
    const { page } = opened
    await page.getByLabel('管理令牌').fill(TOKEN)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: '使用中的连接' }).waitFor()
    expect(await page.getAttribute('html', 'lang')).toBe('zh-CN')
    await page.getByRole('button', { name: 'English' }).click()
    await page.getByRole('heading', { name: 'Connections in use' }).waitFor()
    await page.reload()
    await page.getByRole('heading', { name: 'Connections in use' }).waitFor()
  })

  test('shows the token nowhere: not in an address, a log or the page', async () => {
    await using opened = await open()
    const { page, log: pageLog } = opened
    await logIn(page)
    await page.getByText('Live').waitFor()

    expect(pageLog.urls.filter((url) => url.includes(TOKEN))).toEqual([])
    expect(pageLog.urls.filter((url) => !url.startsWith(address) && !url.startsWith('data:'))).toEqual([])
    expect(await page.content()).not.toContain(TOKEN)
    expect(await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }))).not.toContain(TOKEN)
    expect(log.join('')).not.toContain(TOKEN)
  })
})

async function startApp(log: string[], sources: MetricsSources, port = 0): Promise<FastifyInstance> {
  const stream = { write: (line: string) => void log.push(line) }
  const app = Fastify({ logger: { level: 'trace', stream }, forceCloseConnections: true })
  await app.register(poolguard, { page: { sources }, adminToken: TOKEN })
  await app.listen({ host: '127.0.0.1', port })
  return app
}

function addressOf(app: FastifyInstance): string {
  const { port } = app.addresses()[0] as { port: number }
  return `http://127.0.0.1:${port}`
}
