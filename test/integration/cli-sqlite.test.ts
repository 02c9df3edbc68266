import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import poolguard from '@poolguard/fastify'
import { SqlitePool } from '@poolguard/sqlite'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runPoolguard } from './run-poolguard.ts'

const TOKEN = 'a-token-of-the-admin-endpoint'

function folderWith(files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'poolguard-cli-sqlite-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

/** A database with one table. */
function createDatabase(folder: string, journal: 'wal' | 'delete' = 'wal'): string {
  const path = join(folder, 'quota.db')
  const database = new DatabaseSync(path)
  database.exec(`pragma journal_mode = ${journal}; create table keys (id integer primary key, name text)`)
  database.exec("insert into keys (name) values ('ada')")
  database.close()
  return path
}

async function verify(address: string, folder: string, env: Readonly<Record<string, string>> = {}) {
  const { code, stdout, stderr } = await runPoolguard(['verify', ...(address ? [address] : []), '--json'], {
    folder,
    env,
  })
  expect(stderr).toBe('')
  const { checks } = JSON.parse(stdout)
  const failed = checks.filter(({ status }: { status: string }) => status === 'failed')
  return { code, checks, failed: failed.map(({ name }: { name: string }) => name), text: stdout }
}

describe('poolguard verify with a SQLite file', () => {
  test('passes for a healthy database, and does not change it', async () => {
    const folder = folderWith()
    const path = createDatabase(folder)
    const before = readFileSync(path)
    const { code, failed, checks } = await verify('file:quota.db', folder)

    expect([code, failed]).toEqual([0, []])
    expect(checks).toHaveLength(7)
    expect(readFileSync(path).equals(before)).toBe(true)
  })

  test('reads the file from DATABASE_URL in .env', async () => {
    const folder = folderWith({ '.env': 'DATABASE_URL=file:./quota.db\n' })
    createDatabase(folder)

    expect((await verify('', folder)).code).toBe(0)
  })

  test('fails without WAL, and says how to turn it on', async () => {
    const folder = folderWith()
    createDatabase(folder, 'delete')
    const { code, failed, text } = await verify('file:quota.db', folder)

    expect([code, failed]).toEqual([1, ['journal mode']])
    expect(text).toContain('PRAGMA journal_mode = wal')
  })

  test('fails while another process holds the write lock for long', async () => {
    const folder = folderWith()
    const writer = new DatabaseSync(createDatabase(folder))
    writer.exec('begin immediate')
    const { failed, text } = await verify('file:quota.db', folder)
    writer.exec('rollback')
    writer.close()

    expect(failed).toContain('writable')
    expect(text).toContain('has held the write lock')
  })

  test.each([
    ['no file', {}, 'file', 'does not exist'],
    ['another file', { 'quota.db': 'this is a text that is no database '.repeat(50) }, 'opened', 'not a database'],
    ['an empty file', { 'quota.db': '' }, 'file', 'is empty'],
  ] as const)('fails, given %s', async (_, files, check, says) => {
    const { code, failed, text } = await verify('file:quota.db', folderWith(files))

    expect([code, failed]).toEqual([1, [check]])
    expect(text).toContain(says)
  })

  test('fails for a damaged database', async () => {
    const folder = folderWith()
    const path = createDatabase(folder)
    const database = new DatabaseSync(path)
    database.exec('create index names on keys (name)')
    for (let n = 0; n < 2_000; n++) database.exec(`insert into keys (name) values ('key ${n}')`)
    database.exec('pragma wal_checkpoint(truncate)')
    database.close()
    const bytes = readFileSync(path)
    bytes.fill(0xff, 4 * 4_096, 6 * 4_096)
    writeFileSync(path, bytes)

    expect((await verify('file:quota.db', folder)).failed).toContain('integrity')
  })

  test.skipIf(process.getuid?.() === 0)('fails if this user may not write', async () => {
    const folder = folderWith()
    chmodSync(createDatabase(folder), 0o444)

    expect((await verify('file:quota.db', folder)).failed).toContain('writable')
  })
})

describe('poolguard doctor in a project whose DATABASE_URL is a file', () => {
  test('checks the file and finds nothing in a healthy one', async () => {
    const folder = folderWith({ '.env': 'DATABASE_URL=file:./quota.db\n', 'package.json': '{"dependencies":{}}' })
    createDatabase(folder)
    const { code, stdout } = await runPoolguard(['doctor'], { folder })

    expect(stdout).toContain('Database: the SQLite file quota.db (DATABASE_URL)')
    expect(stdout).toContain('No problems found.')
    expect(code).toBe(0)
  })

  test('reports a problem of the file', async () => {
    const folder = folderWith({ '.env': 'DATABASE_URL=file:./quota.db\n' })
    createDatabase(folder, 'delete')
    const { code, stdout } = await runPoolguard(['doctor', '--json'], { folder })

    expect(JSON.parse(stdout).findings).toMatchObject([{ rule: 'sqlite-file', data: { check: 'journal mode' } }])
    expect(code).toBe(1)
  })

  test('other commands say what there is for SQLite', async () => {
    const folder = folderWith({ '.env': 'DATABASE_URL=file:./quota.db\n' })
    const { code, stderr } = await runPoolguard(['monitor'], { folder })

    expect([code, stderr]).toEqual([2, expect.stringContaining('monitor and stress take the URL of the app')])
  })
})

describe('an app with a SQLite pool', () => {
  let app: FastifyInstance
  let pool: SqlitePool
  let origin: string
  beforeAll(async () => {
    pool = new SqlitePool({ file: createDatabase(folderWith()) })
    await pool.query('select 1')
    app = Fastify()
    await app.register(poolguard, { admin: true, adminToken: TOKEN, closeOnShutdown: true })
    app.get('/fails', (_request, reply) => reply.code(503).send({}))
    origin = await app.listen({ port: 0, host: '127.0.0.1' })
  })
  afterAll(() => app.close())

  const monitor = (path: string, env: Readonly<Record<string, string>> = { POOLGUARD_TOKEN: TOKEN }) =>
    runPoolguard(['monitor', `${origin}${path}`, '--samples', '2', '--interval', '0.05'], { env })

  test.each(['/admin/db-pool-stats', ''])('monitor reads its pools from %j', async (path) => {
    const { code, stdout, stderr } = await monitor(path)
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))

    expect([code, stderr]).toEqual([0, ''])
    expect(lines).toHaveLength(2)
    expect(lines[0]).toMatchObject({
      status: 'healthy',
      pools: expect.arrayContaining([expect.objectContaining({ name: 'quota.readers', waiting: 0 })]),
    })
  })

  test.each([
    ['no token', '/admin/db-pool-stats', {}, 'set POOLGUARD_TOKEN'],
    [
      'a wrong token',
      '/admin/db-pool-stats',
      { POOLGUARD_TOKEN: 'wrong-token-of-mine' },
      'does not accept POOLGUARD_TOKEN',
    ],
    ['another path', '/nowhere', { POOLGUARD_TOKEN: TOKEN }, 'HTTP 404'],
    ['a token in the URL', '/admin/db-pool-stats?token=s3cret-token', {}, 'Set POOLGUARD_TOKEN instead'],
  ] as const)('monitor exits with 2, given %s', async (_, path, env, says) => {
    const { code, stdout, stderr } = await monitor(path, env)

    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(says)
    expect(stderr).not.toMatch(/s3cret|wrong-token|a-token/)
  })

  test('monitor does not send the token to another address', async () => {
    const seen: (string | undefined)[] = []
    const other = createServer((request, response) => {
      seen.push(request.headers.authorization)
      response.end('{}')
    })
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as { port: number }
    const redirecting = createServer((_, response) =>
      response.writeHead(302, { location: `http://127.0.0.1:${port}/` }).end(),
    )
    await new Promise<void>((resolve) => redirecting.listen(0, '127.0.0.1', resolve))
    const address = redirecting.address() as { port: number }
    const { code } = await runPoolguard(['monitor', `http://127.0.0.1:${address.port}/pools`], {
      env: { POOLGUARD_TOKEN: TOKEN },
    })
    other.close()
    redirecting.close()

    expect([code, seen]).toEqual([2, []])
  })

  test('stress loads an endpoint and reports status codes and latencies', async () => {
    const args = ['stress', `${origin}/healthz`, '--duration', '1', '--concurrency', '5']
    const { code, stdout } = await runPoolguard([...args, '--json'])
    const shown = await runPoolguard(args)
    const load = JSON.parse(stdout)

    expect(code).toBe(0)
    expect(load).toMatchObject({ passed: true, failed: 0, statuses: [{ status: 200, count: load.requests }] })
    expect(load.p50Millis).toBeLessThanOrEqual(load.p95Millis)
    expect(shown.stdout).toMatch(/status codes: \d+ x 200/)
    expect(shown.stdout).toMatch(/p95 .* ms, p99/)
  })

  test('stress fails for errors, by status code', async () => {
    const { code, stdout } = await runPoolguard([
      'stress',
      `${origin}/fails`,
      '--duration',
      '1',
      '--concurrency',
      '2',
      '--json',
    ])
    const load = JSON.parse(stdout)

    expect(code).toBe(1)
    expect(load).toMatchObject({ statuses: [{ status: 503 }], errors: [{ code: 'HTTP 503' }] })
  })
})
