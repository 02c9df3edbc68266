import poolguard from '@poolguard/fastify'
import { GuardedPool, postgresSource } from '@poolguard/pg'
import Fastify, { type FastifyInstance } from 'fastify'
import pg from 'pg'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { describeWithChromium, type PostgresServer, startPostgres, waitUntil } from '../harness/index.ts'
import { accessibilityViolations, follow, startBrowser } from './browser.ts'
import { makeOrders } from './staged-incident.ts'

const TOKEN = 'the-admin-token-of-this-test'
/** A busy machine takes its time. */
const SOON = { timeout: 15_000 }

const describe = await describeWithChromium()

describe('actions of the live page', () => {
  let server: PostgresServer
  let browser: Browser

  beforeAll(async () => {
    server = await startPostgres({ maxConnections: 50 })
    await makeOrders(server.url)
    browser = await startBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    await server?.stop()
  })

  test('a user resizes a pool and terminates the session that blocks others, each after a confirmation', async () => {
    const warnings = collectWarnings()
    await using pool = disposable(new GuardedPool({ url: server.url, name: 'orders', pool: { max: 2 } }))
    await pool.query('select 1')
    await using app = await startApp(server.url, true)
    const blocking = new pg.Client(server.url)
    const ended = new Promise<void>((resolve) => blocking.once('end', resolve))
    blocking.on('error', () => {})
    await blocking.connect()
    await blocking.query('begin')
    await blocking.query('update orders set status = $1 where id = 1', ['blocked'])
    const blocked = pool.query('update orders set status = $1 where id = 1', ['open'])

    const context = await browser.newContext({ viewport: { width: 1_280, height: 900 } })
    onTestFinished(() => context.close())
    const page = await context.newPage()
    page.setDefaultTimeout(SOON.timeout)
    const log = follow(page)
    await page.goto(`${app.address}/admin/poolguard`)
    await page.getByLabel('Admin token').fill(TOKEN)
    await page.keyboard.press('Enter')

    const card = page.getByRole('article', { name: 'Pool orders' })
    await card.getByRole('button', { name: 'Resize' }).click()
    await card.getByText('Change how many connections orders may open?').waitFor()
    expect(await accessibilityViolations(page)).toEqual([])
    await page.keyboard.press('Escape')
    expect(pool.snapshot().stats.max).toBe(2)
    await card.getByRole('button', { name: 'Resize' }).click()
    await card.getByLabel('At most').fill('4')
    await page.keyboard.press('Enter')
    await card.getByText('of 4').first().waitFor()

    const session = page.getByRole('listitem').filter({ hasText: 'blocks 1' })
    await session.getByRole('button', { name: 'Terminate' }).first().click()
    await session.getByText(/Its transaction is rolled back/).waitFor()
    await session.getByRole('form', { name: 'Terminate' }).getByRole('button', { name: 'Terminate' }).click()
    await blocked
    await ended
    await page.getByText(/terminated session \d+ of/).waitFor()
    await page.getByText('A user of this page resized pool "orders" from 2 to 4').waitFor()
    await waitUntil(() => warnings.length === 2, { what: 'two warnings' })
    expect(warnings[0]).toMatch(/^Live page: Session [\w-]+ from 127\.0\.0\.1 resized pool "orders" from 2 to 4\.$/)
    expect(warnings[1]).toMatch(/^Live page: Session [\w-]+ from 127\.0\.0\.1 terminated session \d+ of /)
    expect(log.problems).toEqual([])
  })

  test('without the option, the page has no buttons for them', async () => {
    await using pool = disposable(new GuardedPool({ url: server.url, name: 'orders', pool: { max: 2 } }))
    await pool.query('select 1')
    await using app = await startApp(server.url, false)
    const context = await browser.newContext()
    onTestFinished(() => context.close())
    const page = await context.newPage()
    page.setDefaultTimeout(SOON.timeout)
    await page.goto(`${app.address}/admin/poolguard`)
    await page.getByLabel('Admin token').fill(TOKEN)
    await page.keyboard.press('Enter')
    await page.getByRole('article', { name: 'Pool orders' }).waitFor()
    expect(await page.getByRole('button', { name: /Resize|Close idle|Terminate/ }).count()).toBe(0)
  })
})

test('a source ends the session with this start only, and says so if its role may not', async () => {
  await using server = await startPostgres({ maxConnections: 20 })
  const source = postgresSource(server.url)
  const client = new pg.Client(server.url)
  client.on('error', () => {})
  await client.connect()
  const { rows } = await client.query(
    'select pid, extract(epoch from backend_start)::text as "startedAt" from pg_stat_activity where pid = pg_backend_pid()',
  )
  const [session] = rows
  const other = { ...session, startedAt: String(Number(session.startedAt) - 1) }

  expect(await source.terminate?.(other)).toBe(false)
  await server.query("create role viewer login password 'viewer'; grant pg_read_all_stats to viewer")
  const viewer = new URL(server.url)
  viewer.username = 'viewer'
  viewer.password = 'viewer'
  await expect(postgresSource(viewer.href).terminate?.(session)).rejects.toMatchObject({ code: '42501' })
  expect((await client.query('select 1')).rowCount).toBe(1)
  expect(await source.terminate?.(session)).toBe(true)
  await expect(client.query('select 1')).rejects.toThrow()
  await waitUntil(async () => (await source.terminate?.(session)) === false, { what: 'the end of the session' })
})

async function startApp(url: string, actions: boolean): Promise<{ readonly address: string } & AsyncDisposable> {
  const app: FastifyInstance = Fastify({ forceCloseConnections: true })
  await app.register(poolguard, { page: { sources: [postgresSource(url)], actions }, adminToken: TOKEN })
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  return { address, [Symbol.asyncDispose]: () => app.close() }
}

function collectWarnings(): readonly string[] {
  const warnings: string[] = []
  const listener = ({ name, message }: Error) => {
    if (name === 'PoolguardAction') warnings.push(message)
  }
  process.on('warning', listener)
  onTestFinished(() => void process.off('warning', listener))
  return warnings
}

function disposable(pool: GuardedPool): GuardedPool & AsyncDisposable {
  return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.end() })
}
