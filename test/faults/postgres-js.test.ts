import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type GuardedOptions, type GuardedSql, guardPostgres } from '@poolguard/postgres-js'
import { describe, expect, test } from 'vitest'
import { describeWithPgBouncer, pgBouncerVersions, startPgBouncer, startPostgres } from '../harness/index.ts'
import { giveToServerUser } from '../harness/server-user.ts'

const run = promisify(execFile)
const PROGRAM = fileURLToPath(new URL('./postgres-js-loses-connections.ts', import.meta.url))
const OLDEST = new URL('./postgres-js-oldest.ts', import.meta.url).href

test.each([
  ['of today', []],
  ['that is supported as the oldest', ['--import', OLDEST]],
])(
  'given connections lost in every phase and no listeners, with the postgres.js %s, then the process lives',
  async (_, flags) => {
    await using server = await startPostgres()
    const { stdout, stderr } = await run(process.execPath, [...flags, PROGRAM, server.url, server.adminUrl])
    expect(stdout.trim()).toBe(
      'idle, in a query, in a transaction, in a query of a transaction, reserved, cursor, copy, connecting, cancelling, at the end',
    )
    expect(stderr).toBe('')
  },
)

const openssl = await run('openssl', ['version']).then(
  () => true,
  () => false,
)
describe.runIf(openssl)('given TLS', () => {
  test('then it is used as postgres.js would, also for cancel requests, and a bad certificate is reported at once', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'poolguard-tls-'))
    const [key, certificate] = [join(folder, 'server.key'), join(folder, 'server.crt')]
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
    await run('openssl', [
      'req',
      '-new',
      '-x509',
      '-days',
      '2',
      '-nodes',
      '-out',
      certificate,
      '-keyout',
      key,
      ...names,
    ])
    await chmod(key, 0o600)
    for (const path of [folder, key, certificate]) giveToServerUser(path)
    await using server = await startPostgres({ settings: { ssl: 'on', ssl_cert_file: certificate, ssl_key_file: key } })
    await using plain = await startPostgres()
    const ca = await readFile(certificate, 'utf8')

    for (const ssl of ['require', 'prefer', { ca }] as const) {
      const sql = make(server.url, { ssl })
      expect(await sql`select ssl from pg_stat_ssl where pid = pg_backend_pid()`).toEqual([{ ssl: true }])
      const sleeping = sql`select pg_sleep(60)`.execute()
      await expect
        .poll(() => server.query(`select 1 from pg_stat_activity where wait_event = 'PgSleep'`))
        .toHaveLength(1)
      sleeping.cancel()
      await expect(sleeping).rejects.toMatchObject({ code: '57014' })
      const killed = sql`select pg_terminate_backend(pg_backend_pid())`
      await expect(killed).rejects.toMatchObject({ code: '57P01' })
      await sql.end()
    }
    for (const [url, ssl, code, why] of [
      [server.url, 'verify-full', 'DEPTH_ZERO_SELF_SIGNED_CERT', /^self-signed certificate.*sslrootcert=/],
      [plain.url, 'require', 'POOLGUARD_CONNECT', /^The server does not support SSL connections\. .*sslmode=disable/],
    ] as const) {
      const sql = make(url, { ssl })
      await expect(sql`select 1`).rejects.toMatchObject({
        code,
        message: expect.stringMatching(why),
      })
      await sql.end()
    }
    const preferring = make(plain.url, { ssl: 'prefer' })
    expect(await preferring`select 1 as one`).toEqual([{ one: 1 }])
    await preferring.end()
    expect(() => make(server.url, { ssl: { cert: 'no certificate' } })).toThrow('Invalid option ssl')
    await rm(folder, { recursive: true })
  })
})

for (const version of pgBouncerVersions) {
  const describe = await describeWithPgBouncer(version)
  describe(`given PgBouncer ${version}`, () => {
    test('when a query waits for a server too long, then it says so, and the next, unrelated one is fine', async () => {
      await using server = await startPostgres({ maxConnections: 20 })
      await using pooler = await startPgBouncer({
        ...{ version, upstream: server },
        settings: { default_pool_size: 1, query_wait_timeout: 1 },
      })
      const sql = make(pooler.url, { pooler: 'transaction', max: 2 })
      const holder = await sql.reserve()
      await holder`begin`
      const waited = await sql`select 1`.catch((error: Error) => error)
      expect(waited).toMatchObject({ name: 'PostgresError', code: '08P01', message: 'query_wait_timeout' })
      await holder`commit`
      holder.release()
      for (const n of [1, 2, 3]) expect(await sql`select ${n}::int as n`).toEqual([{ n }])
      await sql.end()
    })

    test('when it is shut down, or killed, and comes back, then callers wait for it', async () => {
      await using server = await startPostgres({ maxConnections: 20 })
      await using pooler = await startPgBouncer({ version, upstream: server })
      const sql = make(pooler.url, { max: 3 })
      await sql.ready()
      for (const signal of ['SIGQUIT', 'SIGKILL'] as const) {
        const running = sql`select pg_sleep(60)`.catch((error: Error) => error)
        await expect.poll(() => sql.snapshot().stats.active).toBe(1)
        const before = sql.snapshot().stats.connectFailures.unavailable
        await pooler.kill(signal)
        expect(await running).toBeInstanceOf(Error)
        const all = Promise.all(Array.from({ length: 20 }, (_, n) => sql`select ${n}::int as n`))
        await expect.poll(() => sql.snapshot().stats.connectFailures.unavailable).toBeGreaterThan(before)
        await pooler.restart()
        expect(await all).toHaveLength(20)
      }
      await sql.end()
    })

    test('when a busy connection is given up, then its query is cancelled, and the pooler lives on', async () => {
      await using server = await startPostgres({ maxConnections: 20 })
      await using pooler = await startPgBouncer({ version, upstream: server, settings: { default_pool_size: 1 } })
      const sql = make(pooler.url, { max: 1 })
      await sql.ready()
      const sleeping = sql`select pg_sleep(60)`.catch((error: Error) => error)
      await expect
        .poll(() => server.query(`select 1 from pg_stat_activity where wait_event = 'PgSleep'`))
        .toHaveLength(1)
      await sql.end({ timeout: 0 })
      expect(await sleeping).toMatchObject({ code: '57014' })
      const other = make(pooler.url, {})
      expect(await other`select 1 as one`).toEqual([{ one: 1 }])
      await other.end()
    })
  })
}

function make(url: string, options: GuardedOptions): GuardedSql {
  return guardPostgres(url, { name: 'faulty', ...options }) as GuardedSql
}
