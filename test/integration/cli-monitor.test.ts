import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { expect, test } from 'vitest'
import { describeWithPgBouncer, hasSignals, startPgBouncer, startPostgres, waitUntil } from '../harness/index.ts'
import { runPoolguard } from './run-poolguard.ts'

function linesOf(text: string): Record<string, unknown>[] {
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

test('poolguard monitor writes a line for each sample, and names the largest application of a full server', async () => {
  await using server = await startPostgres({ maxConnections: 13 })
  const clients = Array.from(
    { length: 8 },
    () => new pg.Client({ connectionString: server.url, application_name: 'orders' }),
  )
  await Promise.all(clients.map((client) => client.connect()))
  const args = ['monitor', server.url, '--samples', '3', '--interval', '0.05', '--full-at', '80']
  const { code, stdout, stderr } = await runPoolguard(args)
  await Promise.all(clients.map((client) => client.end()))

  const orders = { application: 'orders', role: 'app', connections: 8 }
  const processes = [
    expect.objectContaining({
      ...{ application: 'orders', role: 'app', address: '127.0.0.1', connections: 8, idle: 8 },
      longest: expect.objectContaining({ pid: expect.any(Number), state: 'idle' }),
    }),
  ]
  const sample = { time: expect.any(String), used: 8, usable: 10, applications: [orders], processes }
  const alert = { alert: 'full', time: expect.any(String), message: expect.stringContaining('orders (role app): 8') }
  expect(linesOf(stdout)).toEqual([sample, alert, sample, sample])
  expect(stderr).toContain('full: 8 of 10 connections are open')
  expect(code).toBe(1)
})

test('for a superuser, the server counts as full without the reserved slots', async () => {
  await using server = await startPostgres({ maxConnections: 13 })
  const clients = Array.from({ length: 10 }, () => new pg.Client(server.url))
  await Promise.all(clients.map((client) => client.connect()))
  const { code, stdout } = await runPoolguard(['monitor', server.adminUrl, '--samples', '1'])
  await Promise.all(clients.map((client) => client.end()))

  expect(linesOf(stdout)[0]).toMatchObject({ used: 10, usable: 10 })
  expect(linesOf(stdout)[1]).toMatchObject({ alert: 'full' })
  expect(code).toBe(1)
})

test('exits without an error if the reader closes the pipe, as head -1 does', async () => {
  await using server = await startPostgres()
  const { code, stderr } = await runPoolguard(['monitor', server.url, '--interval', '0.05'], { readsOneLine: true })

  expect([code, stderr]).toEqual([0, ''])
})

test.skipIf(!hasSignals)('runs until interrupted, and continues after a server outage', async () => {
  await using server = await startPostgres()
  const folder = await mkdtemp(join(tmpdir(), 'poolguard-monitor-'))
  const file = join(folder, 'connections.log')
  const lines = async () => linesOf(await readFile(file, 'utf8'))
  const waitForLine = (what: string, after = 0) =>
    waitUntil(async () => (await lines()).slice(after).some((line) => what in line), { what })
  const { code, stdout } = await runPoolguard(['monitor', server.url, '--interval', '0.05', '--file', file], {
    interruptWhen: async () => {
      await waitForLine('used')
      await server.kill('SIGQUIT')
      await waitForLine('error')
      const before = (await lines()).length
      await server.restart()
      await waitForLine('used', before)
    },
  })

  expect(stdout).toMatch(/^Wrote \d+ samples to .*connections\.log: \d+ failed, 0 alerts\.\n$/)
  expect(code).toBe(0)
  expect(await readdir(folder)).toEqual(['connections.log'])
  await rm(folder, { recursive: true })
})

test.each([
  ['no server', ['monitor', 'postgres://app:s3cret@127.0.0.1:1/app'], 'ECONNREFUSED'],
  ['no address', ['monitor'], 'DATABASE_URL'],
  ['no time between samples', ['monitor', '--interval', '0'], 'above 0'],
])('given %s, exits with 2', async (_, args, says) => {
  const { code, stderr } = await runPoolguard(args)

  expect(code).toBe(2)
  expect(stderr).toContain(says)
  expect(stderr).not.toContain('s3cret')
})

test.skipIf(!hasSignals)(
  'starts on a full server, alerts once, and samples again when connections are free',
  async () => {
    await using server = await startPostgres({ maxConnections: 8 })
    const clients = Array.from({ length: 5 }, () => new pg.Client(server.url))
    await Promise.all(clients.map((client) => client.connect()))
    const folder = await mkdtemp(join(tmpdir(), 'poolguard-monitor-'))
    const file = join(folder, 'connections.log')
    const lines = async () => linesOf(await readFile(file, 'utf8'))
    const { code, stderr } = await runPoolguard(['monitor', server.url, '--interval', '0.05', '--file', file], {
      interruptWhen: async () => {
        await waitUntil(async () => (await lines()).filter((line) => 'error' in line).length > 1, {
          what: 'two refusals',
        })
        await Promise.all(clients.map((client) => client.end()))
        await waitUntil(async () => (await lines()).some((line) => 'used' in line), { what: 'a sample' })
      },
    })
    const [first] = await lines()

    expect(first).toEqual({
      time: expect.any(String),
      error: expect.stringContaining('connection slots'),
      full: true,
    })
    expect(stderr.match(/^full: /gm)).toHaveLength(1)
    expect(code).toBe(1)
    await rm(folder, { recursive: true })
  },
)

test.skipIf(!hasSignals)('reports at the end on SIGTERM, too', async () => {
  await using server = await startPostgres()
  const folder = await mkdtemp(join(tmpdir(), 'poolguard-monitor-'))
  const file = join(folder, 'connections.log')
  const { code, stdout } = await runPoolguard(['monitor', server.url, '--interval', '0.05', '--file', file], {
    signal: 'SIGTERM',
    interruptWhen: () =>
      waitUntil(async () => (await readFile(file, 'utf8').catch(() => '')).includes('used'), { what: 'a sample' }),
  })

  expect(stdout).toMatch(/^Wrote \d+ samples to /)
  expect(code).toBe(0)
  await rm(folder, { recursive: true })
})

test.skipIf(!hasSignals)("alerts for one process that leaks up to pg's default of 10 connections", async () => {
  await using server = await startPostgres({ maxConnections: 40 })
  const pool = new pg.Pool({ connectionString: server.url, application_name: 'leaky' })
  const leaked: pg.PoolClient[] = []
  const folder = await mkdtemp(join(tmpdir(), 'poolguard-monitor-'))
  const file = join(folder, 'connections.log')
  const seen = async (what: string) => (await readFile(file, 'utf8').catch(() => '')).includes(what)
  const { code } = await runPoolguard(['monitor', server.url, '--interval', '0.02', '--file', file], {
    interruptWhen: async () => {
      while (leaked.length < 10) {
        leaked.push(await pool.connect())
        await waitUntil(() => seen(`"connections":${leaked.length}`), { what: 'a sample' })
      }
      await waitUntil(() => seen('"leak"'), { what: 'the alert' })
    },
  })
  for (const client of leaked) client.release()
  await pool.end()
  await waitUntil(async () => (await server.connectionCount()) === 0, { what: 'no connection' })

  const alerts = linesOf(await readFile(file, 'utf8')).filter((line) => 'alert' in line)
  expect(alerts).toEqual([
    { alert: 'leak', time: expect.any(String), message: expect.stringContaining('leaky (role app) grew from') },
  ])
  expect(code).toBe(1)
  await rm(folder, { recursive: true })
})

const describe = await describeWithPgBouncer('1.24')
describe('poolguard monitor with --pooler-url', () => {
  test('samples its pools, also if no connection comes through it, and alerts for clients that wait', async () => {
    await using server = await startPostgres()
    await using pooler = await startPgBouncer({ version: '1.24', upstream: server, settings: { default_pool_size: 1 } })
    const holder = new pg.Client(pooler.url)
    await holder.connect()
    await holder.query('begin')
    const args = ['monitor', pooler.url, '--pooler-url', pooler.statsUrl, '--samples', '2', '--interval', '0.05']
    const { code, stdout } = await runPoolguard(args)
    await holder.end()
    const lines = linesOf(stdout)

    expect(code).toBe(1)
    expect(lines[0]).toMatchObject({
      error: expect.any(String),
      pooler: { pools: [{ database: 'app', user: 'app', serversActive: 1, poolSize: 1, paused: false }] },
    })
    expect(lines.some(({ alert }) => alert === 'waiting')).toBe(true)
  })
})
