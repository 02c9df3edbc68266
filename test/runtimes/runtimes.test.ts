import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describeWithPgBouncer, type PostgresServer, startPgBouncer, startPostgres } from '@poolguard/test/harness'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { isFullMatrix } from '../matrix.ts'
import { install } from '../packaging/load.ts'
import { buildAll, packAll } from '../packaging/pack.ts'
import { EXPECTED, PROGRAMS, sourceOf } from '../registry/programs.ts'
import { RUNTIMES } from './runtimes.ts'
import { startWorker, WORKERS } from './worker.ts'

const run = promisify(execFile)

/** `pnpm test` runs the drivers; the matrix every package. */
const THINNED = ['@poolguard/pg', '@poolguard/postgres-js']
const programs = Object.entries(PROGRAMS).filter(([name]) => isFullMatrix || THINNED.includes(name))

let folder: string
let app: string
let server: PostgresServer
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'poolguard-runtimes-'))
  app = join(folder, 'app')
  await buildAll()
  await install(await packAll(folder), folder)
  server = await startPostgres({ maxConnections: 20 })
}, 600_000)
afterAll(async () => {
  await server?.stop()
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
})

describe.each(Object.entries(RUNTIMES))('%s', (_runtime, [command = '', ...args]) => {
  test.each(programs)('%s', async (_name, program) => {
    await writeFile(join(app, 'main.mjs'), sourceOf(program, 'esm'))
    const env = { PATH: process.env.PATH, HOME: folder, DATABASE_URL: server.url }
    const { stdout } = await run(command, [...args, 'main.mjs'], { cwd: app, env, timeout: 100_000 })
    expect(JSON.parse(stdout)).toEqual(EXPECTED)
  })
})

/** `pnpm test` runs one driver directly, and one behind PgBouncer; the matrix both. */
const workers = (thinnedTo: string) => Object.entries(WORKERS).filter(([name]) => isFullMatrix || name === thinnedTo)

describe('Cloudflare Workers, in workerd', () => {
  test.each(workers('@poolguard/postgres-js'))(
    '%s answers each request, and leaves no connection',
    async (_, source) => {
      await answersRequests(source, server.url)
      await expect.poll(() => server.connectionCount()).toBe(0)
    },
  )
})

const describePooler = await describeWithPgBouncer('1.24')
// PgBouncer stands for Hyperdrive's own pool, which also lends a connection for a transaction.
describePooler('Cloudflare Workers, in workerd, behind PgBouncer 1.24 in transaction mode', () => {
  test.each(workers('@poolguard/pg'))('%s answers each request, and leaves no client', async (_, source) => {
    // Fewer than the requests take.
    const settings = { default_pool_size: 2 }
    await using pgBouncer = await startPgBouncer({ version: '1.24', upstream: server, settings })
    await answersRequests(source, pgBouncer.url)
    expect(await server.connectionCount()).toBe(2)
    const clients = async () => (await pgBouncer.show('CLIENTS')).filter(({ database }) => database === 'app')
    await expect.poll(clients).toEqual([])
  })
})

/** Each request has a pool of its own, as docs/serverless.md shows it. */
async function answersRequests(source: string, url: string): Promise<void> {
  let output = ''
  const worker = await startWorker(source, { folder: app, url, log: (text) => (output += text) })
  onTestFinished(() => worker.dispose())
  const requests = Array.from({ length: 4 }, async () => {
    const response = await worker.dispatchFetch('http://localhost/')
    return response.text()
  })
  expect(await Promise.all(requests)).toEqual(Array(4).fill('[42,42,42]'))
  expect(output).toBe('')
}
