import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type PostgresServer, startPostgres } from '@poolguard/test/harness'
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

describe('Cloudflare Workers, in workerd', () => {
  test.each(Object.entries(WORKERS))(
    '%s answers each request by a pool of its own, and leaves no connection',
    async (_name, source) => {
      let output = ''
      const worker = await startWorker(source, { folder: app, url: server.url, log: (text) => (output += text) })
      onTestFinished(() => worker.dispose())
      const requests = Array.from({ length: 4 }, async () => {
        const response = await worker.dispatchFetch('http://localhost/')
        return response.text()
      })
      expect(await Promise.all(requests)).toEqual(Array(4).fill('[42,42,42]'))
      await expect.poll(() => server.connectionCount(), { timeout: 60_000 }).toBe(0)
      expect(output).toBe('')
    },
  )
})
