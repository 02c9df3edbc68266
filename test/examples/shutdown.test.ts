import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { type ClientRequest, type IncomingMessage, type RequestOptions, request } from 'node:http'
import { connect as connectSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { ROOT } from '../docs/documents.ts'
import { hasSignals, type PostgresServer, startPostgres, waitUntil } from '../harness/index.ts'
import { isFullMatrix } from '../matrix.ts'
import { StartedServer } from './started-server.ts'

interface Example {
  readonly name: string
  /** The table that its requests use. */
  readonly table: string
  /** A request that writes one row. */
  readonly path: string
  readonly body: string
  readonly contentType?: string
  readonly instances?: number
  /** A page that reads the table. */
  readonly page?: string
  /** Starting it takes half a minute, because it is built first. */
  readonly isBuilt?: boolean
}

const JSON_TYPE = 'application/json'
const NOTES = { table: 'note', path: '/notes', body: 'buy milk' }

const EXAMPLES: readonly Example[] = [
  { name: 'drizzle-postgres-js', ...NOTES, instances: 3 },
  {
    name: 'fastify-prisma',
    table: '"order"',
    path: '/orders',
    body: '{"customer":"Ada","articles":["tea"]}',
    contentType: JSON_TYPE,
  },
  { name: 'hono-pg', ...NOTES },
  { name: 'koa-pg', ...NOTES },
  { name: 'nestjs-typeorm', table: 'task', path: '/tasks', body: '{"title":"buy milk"}', contentType: JSON_TYPE },
  {
    name: 'prisma-express',
    table: 'reading',
    path: '/readings',
    body: '[{"sensor":"roof","value":20}]',
    contentType: JSON_TYPE,
  },
  { name: 'nextjs-drizzle', ...NOTES, instances: 3, page: '/', isBuilt: true },
  { name: 'react-router-pg', ...NOTES, page: '/', isBuilt: true },
  { name: 'sveltekit-postgres-js', ...NOTES, body: '"buy milk"', contentType: JSON_TYPE, page: '/', isBuilt: true },
]

test('every example with a server is tested', () => {
  const started = readdirSync(join(ROOT, 'examples')).filter((name) => {
    const { scripts = {} } = JSON.parse(readFileSync(join(ROOT, 'examples', name, 'package.json'), 'utf8'))
    return /\bwith-servers\b/.test(scripts.start)
  })
  expect(EXAMPLES.map(({ name }) => name).sort()).toEqual(started.sort())
})

// On Windows, no process receives SIGTERM.
describe.runIf(hasSignals)('on SIGTERM', () => {
  let postgres: PostgresServer

  beforeAll(async () => {
    postgres = await startPostgres()
  })
  afterAll(() => postgres?.stop())

  test.for(EXAMPLES.filter(({ isBuilt }) => isFullMatrix || !isBuilt))(
    '$name finishes the requests in flight with its pool, and ends',
    { timeout: 400_000 },
    async ({ name, table, path, body, contentType = 'text/plain', instances = 1, page }) => {
      const database = name.replaceAll('-', '_')
      await postgres.query(`create database ${database} owner app`)
      await using admin = await connect(postgres.urlFor({ database }))
      await admin.query(readFileSync(join(ROOT, 'examples', name, 'schema.sql'), 'utf8'))
      const env = { DATABASE_URL: postgres.urlFor({ database }), LOG_LEVEL: 'error' }
      await using example = await StartedServer.example(name, { ports: instances, env })
      const headers = { 'content-type': contentType, 'content-length': body.length }
      const post = () => new SentRequest(example.port, { method: 'POST', path, headers })

      await admin.query(`begin; lock table ${table}`)
      const uploading = post()
      uploading.write(body.slice(0, 1))
      const waiting = [post().end(body), ...(page ? [new SentRequest(example.port, { path: page }).end()] : [])]
      await waitUntil(async () => (await countWaiting(postgres, database)) === waiting.length, {
        what: 'the requests to wait for the table',
      })

      example.terminate()
      await waitUntil(() => refusesConnections(example.port), { what: `${name} to stop listening` })
      await admin.query('commit')
      expect(await Promise.all(waiting.map(({ status }) => status))).toEqual(page ? [201, 200] : [201])
      uploading.end(body.slice(1))
      expect(await uploading.status).toBe(201)
      expect(await example.exitCode).toBe(0)
      expect((await admin.query(`select from ${table}`)).rowCount).toBe(2)
    },
  )

  test('quota-proxy finishes the requests in flight with its pool, and ends', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'poolguard-quota-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const file = join(folder, 'quota.db')
    const example = join(ROOT, 'examples/quota-proxy')
    const env = { ...process.env, DATABASE_FILE: file, ADMIN_TOKEN: 'a-long-token', LOG_LEVEL: 'error' }
    const command = [process.execPath, 'src/main.ts']
    await using proxy = await StartedServer.start(command, { cwd: example, path: '/healthz', env })
    const { stdout: key } = await promisify(execFile)(process.execPath, ['src/add-key.ts', 'ada', '2'], {
      cwd: example,
      env,
    })
    using database = new DatabaseSync(file)
    database.exec('begin immediate')
    const headers = { 'x-api-key': key.trim() }
    const asked = new SentRequest(proxy.port, { path: '/hello', headers }).end()
    await waitUntil(async () => (await countActive(proxy)) > 0, {
      what: 'the request to wait for the file',
    })

    proxy.terminate()
    await waitUntil(() => refusesConnections(proxy.port), { what: 'the proxy to stop listening' })
    database.exec('commit')
    expect(await asked.status).toBe(200)
    expect(await proxy.exitCode).toBe(0)
  })
})

async function connect(url: string): Promise<Client & AsyncDisposable> {
  const client = new Client({ connectionString: url })
  await client.connect()
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() })
}

/** A request whose response's status is awaited from now on. */
class SentRequest {
  readonly #request: ClientRequest
  readonly status: Promise<number | undefined>

  constructor(port: number, { path, method = 'GET', headers = {} }: RequestOptions) {
    this.#request = request({ host: 'localhost', port, method, path, headers })
    this.status = this.#answered()
    // Awaited later.
    this.status.catch(() => {})
  }

  async #answered(): Promise<number | undefined> {
    const [response] = (await once(this.#request, 'response')) as [IncomingMessage]
    response.resume()
    await once(response, 'end')
    return response.statusCode
  }

  write(part: string): void {
    this.#request.write(part)
  }

  end(part?: string): this {
    this.#request.end(part)
    return this
  }
}

async function countWaiting(postgres: PostgresServer, database: string): Promise<number> {
  const rows = await postgres.query(
    `select from pg_stat_activity where datname = $1 and wait_event_type = 'Lock' and state = 'active'`,
    [database],
  )
  return rows.length
}

/** The connections in use of all pools of an app. */
async function countActive(app: StartedServer): Promise<number> {
  const response = await app.fetch('/admin/db-pool-stats', { headers: { authorization: 'Bearer a-long-token' } })
  const { pools } = (await response.json()) as { pools: readonly { stats: { active: number } }[] }
  return pools.reduce((sum, { stats }) => sum + stats.active, 0)
}

async function refusesConnections(port: number): Promise<boolean> {
  const socket = connectSocket(port, 'localhost')
  try {
    await once(socket, 'connect')
    return false
  } catch {
    return true
  } finally {
    socket.destroy()
  }
}
