import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ROOT } from '../docs/documents.ts'
import { describeWithPgBouncer } from '../harness/index.ts'
import { isFullMatrix } from '../matrix.ts'
import { StartedServer } from './started-server.ts'

const json = { 'content-type': 'application/json' }

const describePooler = await describeWithPgBouncer('1.24')
describePooler('drizzle-postgres-js', () => {
  test('three instances behind PgBouncer show the same notes, and prepare their statements', async () => {
    await using example = await StartedServer.example('drizzle-postgres-js', { ports: 3 })
    const made = await example.fetch('/notes', { method: 'POST', body: 'buy milk' })
    expect([made.status, await made.json()]).toEqual([201, expect.objectContaining({ text: 'buy milk' })])
    for (const instance of [0, 1, 2]) {
      const notes = await (await example.fetch('/notes', {}, instance)).json()
      expect(notes).toMatchObject([{ text: 'buy milk' }])
      expect((await example.fetch('/readyz', {}, instance)).status).toBe(200)
    }
    expect(await (await example.fetch('/metrics')).text()).toContain('db_client_connection_pool_name="notes"')
    expect((await example.fetch('/nothing')).status).toBe(404)
    await example.stop()
    expect(example.output).not.toMatch(/error/i)
    expect(example.output.match(/on a pooler in transaction mode, prepared statements safe/g)).toHaveLength(3)
  })
})

describe('fastify-prisma', () => {
  test('takes and shows orders, tells its health, and its figures to those who may', async () => {
    await using example = await StartedServer.example('fastify-prisma', {
      env: { ADMIN_TOKEN: 'a-long-token', LOG_LEVEL: 'error' },
    })
    const order = { customer: 'Ada', articles: ['tea', 'milk'] }
    const made = await example.fetch('/orders', { method: 'POST', headers: json, body: JSON.stringify(order) })
    expect(made.status).toBe(201)
    expect(await (await example.fetch('/orders')).json()).toMatchObject([
      { customer: 'Ada', items: [{ article: 'tea' }, { article: 'milk' }] },
    ])
    expect((await example.fetch('/orders', { method: 'POST', headers: json, body: '{}' })).status).toBe(400)
    expect(await (await example.fetch('/readyz')).json()).toEqual({ status: 'healthy' })
    expect(await (await example.fetch('/metrics')).text()).toContain('poolguard_fleet_instances')
    expect((await example.fetch('/admin/db-pool-stats')).status).toBe(401)
    const admin = await example.fetch('/admin/db-pool-stats', { headers: { authorization: 'Bearer a-long-token' } })
    expect(await admin.json()).toMatchObject({ pools: [{ name: 'orders' }] })
    await example.stop()
    expect(example.output).not.toMatch(/error/i)
  })
})

describePooler('prisma-express', () => {
  test('writes many rows in one transaction, or none', async () => {
    await using example = await StartedServer.example('prisma-express')
    const post = (body: unknown) =>
      example.fetch('/readings', { method: 'POST', headers: json, body: JSON.stringify(body) })
    const readings = Array.from({ length: 1_200 }, (_, i) => ({ sensor: i % 2 ? 'roof' : 'cellar', value: i }))
    expect(await (await post(readings)).json()).toEqual({ written: 1_200 })
    // PostgreSQL takes no NUL in a text: found out in the last chunk.
    expect((await post([...readings, { sensor: 'a\0b', value: 1 }])).status).toBe(500)
    expect(await (await example.fetch('/averages')).json()).toEqual([
      { sensor: 'cellar', average: 599 },
      { sensor: 'roof', average: 600 },
    ])
    expect((await post({ sensor: 'roof' })).status).toBe(400)
    expect(await (await example.fetch('/readyz')).json()).toEqual({ status: 'healthy' })
    await example.stop()
  })
})

describe.each(['hono-pg', 'koa-pg'])('%s', (name) => {
  test('keeps notes, has probes and metrics, and shows its figures to those who may', async () => {
    await using example = await StartedServer.example(name, { env: { ADMIN_TOKEN: 'a-long-token' } })
    const made = await example.fetch('/notes', { method: 'POST', body: 'buy milk' })
    expect([made.status, await made.json()]).toEqual([201, { id: '1', text: 'buy milk' }])
    expect(await (await example.fetch('/notes')).json()).toEqual([{ id: '1', text: 'buy milk' }])
    expect(await (await example.fetch('/readyz')).json()).toEqual({ status: 'healthy' })
    expect(await (await example.fetch('/metrics')).text()).toContain('label="GET /notes"')
    expect((await example.fetch('/admin/db-pool-stats')).status).toBe(401)
    const admin = await example.fetch('/admin/db-pool-stats', { headers: { authorization: 'Bearer a-long-token' } })
    expect(await admin.json()).toMatchObject({ pools: [{ name: 'notes' }] })
    await example.stop()
    expect(example.output).not.toMatch(/error/i)
  })
})

describe('nestjs-typeorm', () => {
  test('keeps tasks, tells its health, and has metrics', async () => {
    await using example = await StartedServer.example('nestjs-typeorm', { env: { ADMIN_TOKEN: 'a-long-token' } })
    const post = (title?: string) =>
      example.fetch('/tasks', { method: 'POST', headers: json, body: JSON.stringify({ title }) })
    const { id } = (await (await post('buy milk')).json()) as { id: number }
    expect((await post()).status).toBe(400)
    const done = await example.fetch(`/tasks/${id}/done`, { method: 'PATCH' })
    expect(await done.json()).toEqual({ id, title: 'buy milk', done: true })
    expect((await example.fetch('/tasks/99/done', { method: 'PATCH' })).status).toBe(404)
    expect(await (await example.fetch('/tasks')).json()).toMatchObject([{ title: 'buy milk', done: true }])
    expect(await (await example.fetch('/readyz')).json()).toEqual({ status: 'healthy' })
    const admin = await example.fetch('/admin/db-pool-stats', { headers: { authorization: 'Bearer a-long-token' } })
    expect(await admin.json()).toMatchObject({ pools: [{ name: 'tasks' }] })
    expect(await (await example.fetch('/metrics')).text()).toContain('poolguard_fleet_instances')
    await example.stop()
    expect(example.output).not.toMatch(/error/i)
  })
})

describePooler('nextjs-drizzle', () => {
  test('is built without a database, and three instances show the same notes', async () => {
    await using example = await StartedServer.example('nextjs-drizzle', {
      ports: 3,
      env: { ADMIN_TOKEN: 'a-long-token' },
    })
    const made = await example.fetch('/notes', { method: 'POST', body: 'buy <milk>' })
    expect([made.status, await made.json()]).toEqual([201, expect.objectContaining({ text: 'buy <milk>' })])
    for (const instance of [0, 1, 2]) {
      expect(await (await example.fetch('/', {}, instance)).text()).toContain('<li>buy &lt;milk&gt;</li>')
      expect((await example.fetch('/readyz', {}, instance)).status).toBe(200)
    }
    expect(await (await example.fetch('/metrics')).text()).toContain('label="POST /notes"')
    expect((await example.fetch('/admin/db-pool-stats')).status).toBe(401)
    const admin = await example.fetch('/admin/db-pool-stats', { headers: { authorization: 'Bearer a-long-token' } })
    expect(await admin.json()).toMatchObject({ pools: [{ name: 'notes' }] })
    await example.stop()
    expect(example.output.match(/a pooler in transaction mode, prepared statements safe/g)).toHaveLength(3)
  }, 400_000)
})

describe.each([
  { name: 'sveltekit-postgres-js', database: 'src/lib/server/db.ts', note: { headers: json, body: '"buy <milk>"' } },
  { name: 'react-router-pg', database: 'app/db.server.ts', note: { body: 'buy <milk>' } },
])('$name', ({ name, database, note }) => {
  const env = { ADMIN_TOKEN: 'a-long-token' }

  async function keepsNotes(example: StartedServer): Promise<void> {
    const made = await example.fetch('/notes', { method: 'POST', ...note })
    expect([made.status, await made.json()]).toEqual([201, { id: '1', text: 'buy <milk>' }])
    expect(await (await example.fetch('/notes')).json()).toEqual([{ id: '1', text: 'buy <milk>' }])
    expect(await (await example.fetch('/')).text()).toMatch(/<li>buy &lt;milk(>|&gt;)<\/li>/)
  }

  async function hasEndpoints(example: StartedServer): Promise<void> {
    expect(await (await example.fetch('/readyz')).json()).toEqual({ status: 'healthy' })
    const metrics = await (await example.fetch('/metrics')).text()
    const labels = new Set(Array.from(metrics.matchAll(/\blabel="([^"]+)"/g), ([, label]) => label))
    expect([...labels].sort()).toEqual(['GET /', 'GET /notes', 'POST /notes'])
    expect((await example.fetch('/admin/db-pool-stats')).status).toBe(401)
    const admin = await example.fetch('/admin/db-pool-stats', { headers: { authorization: 'Bearer a-long-token' } })
    expect(await admin.json()).toMatchObject({ pools: [{ name: 'notes' }] })
  }

  test('in the development server, keeps notes, and has one pool however often its module is loaded', async () => {
    await using example = await StartedServer.example(name, { script: 'dev', env })
    await keepsNotes(example)
    const reloads = () => example.output.match(/page reload/g)?.length ?? 0
    for (let loads = 0; loads < 3; loads++) {
      const before = reloads()
      const now = new Date()
      utimesSync(join(ROOT, 'examples', name, database), now, now)
      await expect.poll(reloads).toBeGreaterThan(before)
      expect((await example.fetch('/notes')).status).toBe(200)
    }
    await hasEndpoints(example)
    await example.stop()
    expect(example.output).not.toMatch(/error/i)
  })

  // Building takes half a minute on a busy machine.
  test.runIf(isFullMatrix)('is built without a database, keeps notes, and ends when it is stopped', async () => {
    await using example = await StartedServer.example(name, { env })
    await keepsNotes(example)
    await hasEndpoints(example)
    await example.stop()
    // The build lists files with such names.
    const [, afterBuild] = example.output.split('PostgreSQL on')
    expect(afterBuild).not.toMatch(/error/i)
  })
})

describe('quota-proxy', () => {
  test('lets through what is within the quota of a key, and not one request more', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'poolguard-quota-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const env = { DATABASE_FILE: join(folder, 'quota.db') }
    await using example = await StartedServer.example('quota-proxy', {
      env: { ...env, ADMIN_TOKEN: 'a-long-token', LOG_LEVEL: 'error' },
    })
    const addKey = async (perDay: number) => {
      const args = [join(ROOT, 'examples/quota-proxy/src/add-key.ts'), 'ada', String(perDay)]
      const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...process.env, ...env } })
      return stdout.trim()
    }
    const ask = (key: string, init: RequestInit = {}) =>
      example.fetch('/hello?a=1', { ...init, headers: { 'content-type': 'text/plain', 'x-api-key': key } })

    const key = await addKey(20)
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask(key)))
    const granted = answers.filter(({ status }) => status === 200)
    const refused = answers.filter(({ status }) => status === 429)
    expect([granted.length, refused.length]).toEqual([20, 30])
    const remaining = granted.map(({ headers }) => Number(headers.get('x-ratelimit-remaining')))
    expect(remaining.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i))
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0)

    const other = await addKey(1)
    const echo = (await (await ask(other, { method: 'POST', body: 'tea' })).json()) as { headers: object }
    expect(echo).toMatchObject({ method: 'POST', url: '/hello?a=1', body: 'tea' })
    expect(echo.headers).not.toHaveProperty('x-api-key')
    expect((await ask(other)).status).toBe(429)
    expect((await ask('nobody')).status).toBe(401)
    expect((await example.fetch('/hello')).status).toBe(401)

    expect(await (await example.fetch('/readyz')).json()).toEqual({ status: 'healthy' })
    const admin = (token: string) =>
      example.fetch('/admin/db-pool-stats', { headers: { authorization: `Bearer ${token}` } })
    expect((await admin('a-wrong-token')).status).toBe(401)
    const stats = await admin('a-long-token')
    expect([stats.status, await stats.json()]).toMatchObject([
      200,
      { pools: expect.arrayContaining([expect.objectContaining({ name: 'quota.writer' })]) },
    ])
    await example.stop()
    expect(example.output).not.toMatch(/error/i)
    // Closed in order: all of it is in the file.
    expect(readdirSync(folder)).toEqual(['quota.db'])
  })
})
