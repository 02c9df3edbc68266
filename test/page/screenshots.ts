/** Takes the pictures of the live page for the documentation, from a staged incident: `node test/page/screenshots.ts`. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runWithLabel } from '@poolguard/core'
import poolguard from '@poolguard/fastify'
import { GuardedPool, pgBouncerSource, postgresSource } from '@poolguard/pg'
import Fastify from 'fastify'
import { startPgBouncer, startPostgres } from '../harness/index.ts'
import { startBrowser } from './browser.ts'
import { makeOrders, stageIncident } from './staged-incident.ts'

const FOLDER = join(import.meta.dirname, '../../docs/pictures')
const TOKEN = 'the-admin-token'
/** Enough history for the charts. */
const TRAFFIC_MILLIS = 75_000

await using server = await startPostgres({ maxConnections: 40 })
await using pooler = await startPgBouncer({ upstream: server, poolMode: 'transaction' })
await makeOrders(server.url)
const app = Fastify()
const sources = [postgresSource(server.url), pgBouncerSource(pooler.statsUrl)]
await app.register(poolguard, { page: { sources }, adminToken: TOKEN })
const address = await app.listen({ host: '127.0.0.1', port: 0 })
await using browser = await startBrowser()
await fetch(`${address}/admin/poolguard`)
const reports = new GuardedPool({ url: pooler.url, name: 'reports', pool: { max: 4 } })
const ended = AbortSignal.timeout(TRAFFIC_MILLIS)
const work = [serve(reports, 'GET /reports', 3)]
const incident = await stageIncident(server.url)
work.push(serve(incident.pool, 'GET /orders/:id', 4))
await Promise.all(work)
await mkdir(FOLDER, { recursive: true })
for (const colorScheme of ['light', 'dark'] as const) await takePicture(colorScheme)
await incident.end()
await reports.end()
await app.close()

async function takePicture(colorScheme: 'light' | 'dark'): Promise<void> {
  await using context = await browser.newContext({ viewport: { width: 1_100, height: 1_400 }, colorScheme })
  const page = await context.newPage()
  await page.goto(`${address}/admin/poolguard`)
  await page.getByLabel('Admin token').fill(TOKEN)
  await page.keyboard.press('Enter')
  await page.getByText('Blocked sessions').waitFor()
  const { done, release } = incident.occupy('GET /invoices', 9)
  await page.getByRole('region', { name: 'Waiting callers' }).getByRole('listitem').first().waitFor()
  // Playwright itself has no WebP, which takes a quarter of the space of PNG.
  const session = await context.newCDPSession(page)
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: 80 })
  await writeFile(join(FOLDER, `live-page-${colorScheme}.webp`), data, 'base64')
  release()
  await done
}

/** Requests of so many clients, in waves. */
async function serve(pool: GuardedPool, label: string, clients: number): Promise<void> {
  const client = async (number: number) => {
    while (!ended.aborted) {
      const wave = 1 + Math.sin(Date.now() / 6_000 + number)
      await runWithLabel(label, () => pool.query('select pg_sleep($1::float8)', [0.02 * wave]))
      await new Promise((resolve) => setTimeout(resolve, 60 * (2 - wave) + 5))
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)))
}
