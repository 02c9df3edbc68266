import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { runWithLabel } from '@poolguard/core'
import poolguard from '@poolguard/fastify'
import { GuardedPool } from '@poolguard/pg'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { describeWithChromium, hasSignals, type PostgresServer, startPostgres } from '../harness/index.ts'
import { cleanEnvironment, POOLGUARD } from '../integration/run-poolguard.ts'
import { accessibilityViolations, follow, type PageLog, startBrowser } from './browser.ts'
import { makeOrders, type StagedIncident, stageIncident } from './staged-incident.ts'

const APP_TOKEN = 'the-admin-token-of-this-test'
/** As the page promises; a busy machine gets more. */
const SOON = { timeout: 15_000 }

const describe = await describeWithChromium()

describe('poolguard ui', () => {
  let server: PostgresServer
  let browser: Browser
  let app: FastifyInstance
  let incident: StagedIncident
  let lanes: GuardedPool

  beforeAll(async () => {
    server = await startPostgres({ maxConnections: 50 })
    await makeOrders(server.url)
    app = await startApp()
    browser = await startBrowser()
    incident = await stageIncident(server.url)
    lanes = new GuardedPool({ url: server.url, name: 'work', pool: { max: 3 }, lanes: { jobs: { max: 1 } } })
  })
  afterAll(async () => {
    await browser?.close()
    await incident?.end()
    await lanes?.end()
    await app?.close()
    await server?.stop()
  })

  test('shows the database and the pools of its apps, and who holds, waits and blocks', async () => {
    const ui = await startUi([server.url, '--app', addressOf(app)])
    await using opened = await open(ui.address)
    const { page, log } = opened
    await page.getByText('Live').waitFor()
    await page.getByRole('article', { name: 'Pool orders' }).waitFor()
    const holders = page.getByRole('region', { name: 'Connections in use' })
    const leak = holders.getByRole('listitem').filter({ hasText: 'GET /reports/:id' })
    await leak.getByText('Suspected leak').waitFor()
    await leak.getByText('Stack').click()
    await leak.getByText(/staged-incident\.ts/).waitFor()
    await page.getByText('The same statement many times in one request (N+1)').waitFor()
    await page.getByRole('heading', { name: 'Blocked sessions' }).waitFor()
    expect(await accessibilityViolations(page)).toEqual([])

    // The token has left the address, and is nowhere else.
    const token = new URL(ui.address).hash.replace('#token=', '')
    expect(page.url()).toBe(ui.address.replace(/#.*/, ''))
    expect(log.urls.filter((url) => url.includes(token))).toEqual([])
    expect(await page.content()).not.toContain(token)
    const [cookie] = await page.context().cookies()
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: new URL(ui.address).pathname })
    expect(log.problems).toEqual([])
  })

  test('shows the lanes of pools, of their holders and of their waiting callers', async () => {
    const ui = await startUi([addressOf(app)])
    await using opened = await open(ui.address)
    const { page } = opened
    const holder = await runWithLabel('nightly report', () => lanes.connect({ lane: 'jobs' }))
    const waiting = runWithLabel('second report', () => lanes.connect({ lane: 'jobs' }))
    const pool = page.getByRole('article', { name: 'Pool work' })
    await pool.getByRole('row', { name: 'jobs 1 1 1' }).waitFor()
    await page.getByRole('listitem').filter({ hasText: 'nightly report' }).getByText('lane jobs').waitFor()
    await page.getByRole('listitem').filter({ hasText: 'second report' }).getByText('lane jobs').waitFor()
    holder.release()
    ;(await waiting).release()
  })

  test('says why an app does not answer, and when it answers again', async () => {
    const other = await startApp()
    const address = addressOf(other)
    const ui = await startUi([server.url, '--app', address])
    await using opened = await open(ui.address)
    const { page } = opened
    await page.getByRole('article', { name: 'Pool orders' }).waitFor()
    await other.close()
    await page
      .getByRole('region', { name: `App ${address}/admin/db-pool-stats` })
      .getByText('ECONNREFUSED')
      .waitFor()
    const again = await startApp(Number(new URL(address).port))
    onTestFinished(() => again.close())
    await page.getByRole('article', { name: 'Pool orders' }).waitFor()
    await page.getByText(`${address}/admin/db-pool-stats answers again.`).waitFor()
  })

  test('without the token in the address, asks for it; with a wrong one it shows nothing', async () => {
    const ui = await startUi([server.url])
    await using opened = await open(`${ui.address}x`)
    const { page } = opened
    await page.getByLabel('Admin token').waitFor()
    expect(page.url()).toBe(ui.address.replace(/#.*/, ''))
  })

  test.skipIf(!hasSignals)('ends at Ctrl-C while a page is open', async () => {
    const ui = await startUi([server.url])
    await using opened = await open(ui.address)
    await opened.page.getByText('Live').waitFor()
    expect(await ui.end('SIGINT')).toBe(0)
    await opened.page.getByText(/Connection lost/).waitFor()
  })

  async function open(address: string): Promise<{ page: Page; log: PageLog } & AsyncDisposable> {
    const context = await browser.newContext({ viewport: { width: 1_280, height: 900 } })
    const page = await context.newPage()
    page.setDefaultTimeout(SOON.timeout)
    const log = follow(page)
    await page.goto(address)
    return { page, log, [Symbol.asyncDispose]: () => context.close() }
  }
})

/** The command in a process of its own, until the test ends. */
async function startUi(args: readonly string[]) {
  const env = cleanEnvironment({ POOLGUARD_TOKEN: APP_TOKEN })
  const child = spawn(process.execPath, [POOLGUARD, 'ui', '--interval', '0.5', '--json', ...args], { env })
  const { promise: ended, resolve } = Promise.withResolvers<number | null>()
  child.once('close', resolve)
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal)
    return ended
  }
  onTestFinished(async () => void (await end('SIGKILL')))
  let stderr = ''
  child.stderr.on('data', (chunk) => (stderr += chunk))
  for await (const line of createInterface(child.stdout)) return { address: JSON.parse(line).address as string, end }
  throw new Error(`poolguard ui ended: ${stderr}`)
}

async function startApp(port = 0): Promise<FastifyInstance> {
  const app = Fastify({ forceCloseConnections: true })
  await app.register(poolguard, { admin: true, adminToken: APP_TOKEN })
  await app.listen({ host: '127.0.0.1', port })
  return app
}

function addressOf(app: FastifyInstance): string {
  const { port } = app.addresses()[0] as { port: number }
  return `http://127.0.0.1:${port}`
}
