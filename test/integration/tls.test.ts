import { execFile } from 'node:child_process'
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { PoolEvent } from '@poolguard/core'
import { GuardedPool, type GuardedPoolConfig, guardPoolClass } from '@poolguard/pg'
import { type GuardedOptions, guardPostgres } from '@poolguard/postgres-js'
import { type PostgresServer, startPostgres, waitUntil } from '@poolguard/test/harness'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { giveToServerUser } from '../harness/server-user.ts'

const run = promisify(execFile)
const hasOpenssl = await run('openssl', ['version']).then(
  () => true,
  () => false,
)
const folder = mkdtempSync(join(tmpdir(), 'poolguard-tls-'))
const at = (name: string) => join(folder, name)
const IS_TLS = 'select ssl as tls from pg_stat_ssl where pid = pg_backend_pid()'

afterAll(() => rmSync(folder, { recursive: true }))

/** Makes `NAME.key` and `NAME.crt`, signed by themselves or by `issuer`. */
async function certify(name: string, commonName: string, issuer?: string): Promise<void> {
  const subject = ['-subj', `/CN=${commonName}`, '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost']
  const signed = issuer ? ['-CA', at(`${issuer}.crt`), '-CAkey', at(`${issuer}.key`)] : []
  const files = ['-out', at(`${name}.crt`), '-keyout', at(`${name}.key`)]
  await run('openssl', ['req', '-new', '-x509', '-days', '2', '-nodes', ...files, ...subject, ...signed])
  chmodSync(at(`${name}.key`), 0o600)
  for (const path of [folder, at(`${name}.key`), at(`${name}.crt`)]) giveToServerUser(path)
}

function start(name: string, settings: Record<string, string> = {}): Promise<PostgresServer> {
  return startPostgres({
    version: 18,
    settings: { ssl: 'on', ssl_cert_file: at(`${name}.crt`), ssl_key_file: at(`${name}.key`), ...settings },
  })
}

function poolOf(config: GuardedPoolConfig, Pool = GuardedPool) {
  const pool = new Pool({ max: 2, ...config })
  onTestFinished(() => pool.end())
  return pool
}

function sqlOf(options: GuardedOptions & { url: string }) {
  const sql = guardPostgres({ max: 2, ...options })
  onTestFinished(() => sql.end())
  return sql
}

describe.runIf(hasOpenssl)('given a server with TLS', () => {
  let server: PostgresServer
  beforeAll(async () => {
    await certify('first', 'first')
    await certify('second', 'second')
    server = await start('first')
  })
  afterAll(() => server.stop())

  const urlWith = (parameters: string, url = server.url) => `${url}?${parameters}`

  describe('sslnegotiation=direct', () => {
    test('pg starts TLS at once, also to cancel a statement', async () => {
      const pool = poolOf({ url: urlWith('sslmode=no-verify&sslnegotiation=direct') })
      expect((await pool.query(IS_TLS)).rows).toEqual([{ tls: true }])
      const controller = new AbortController()
      const sleeping = pool.query({ text: 'select pg_sleep(60)', signal: controller.signal })
      await waitUntil(() => server.query(`select 1 from pg_stat_activity where query like 'select pg_sleep%'`), {
        what: 'the statement runs',
      })
      controller.abort(new Error('enough'))
      await expect(sleeping).rejects.toThrow('enough')
      await waitUntil(
        async () =>
          !(
            await server.query(
              `select 1 from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'`,
            )
          ).length,
        { what: 'the statement has been cancelled' },
      )
    })

    test('postgres.js starts TLS at once', async () => {
      const sql = sqlOf({ url: urlWith('sslmode=require&sslnegotiation=direct') })
      expect(await sql.unsafe(IS_TLS)).toEqual([{ tls: true }])
    })

    test('a version of pg without it says so, and asks for TLS first', async () => {
      const { default: oldest } = (await import('pg-oldest' as string)) as { readonly default: typeof import('pg') }
      const warnings: string[] = []
      const onEvent = (event: PoolEvent) => event.type === 'warning' && warnings.push(event.message)
      const pool = poolOf(
        { url: urlWith('sslmode=no-verify&sslnegotiation=direct'), onEvent },
        guardPoolClass(oldest.Pool),
      )
      expect((await pool.query(IS_TLS)).rows).toEqual([{ tls: true }])
      expect(warnings).toEqual([expect.stringContaining('sslnegotiation=direct has no effect with this version of pg')])
    })

    test('contradictions are rejected', () => {
      expect(() => new GuardedPool({ url: urlWith('sslmode=disable&sslnegotiation=direct') })).toThrow('needs TLS')
      expect(() => guardPostgres({ url: urlWith('sslnegotiation=soon') })).toThrow('must be postgres or direct')
      expect(() => guardPostgres({ ...{ url: server.url }, sslnegotiation: 'direct' } as GuardedOptions)).toThrow(
        'only with TLS',
      )
    })
  })

  describe('channel_binding=require', () => {
    test('pg binds SCRAM to the TLS connection', async () => {
      const url = urlWith('sslmode=no-verify&channel_binding=require')
      expect((await poolOf({ url }).query(IS_TLS)).rows).toEqual([{ tls: true }])
      const option = poolOf({ url: urlWith('sslmode=no-verify'), channelBinding: 'require' })
      expect((await option.query(IS_TLS)).rows).toEqual([{ tls: true }])
    })

    test.each([
      ['no TLS', 'sslmode=disable', '', 'the server offers only SCRAM-SHA-256.'],
      ['no password', 'sslmode=no-verify', 'trust', 'the server accepts the login without SCRAM'],
      ['an MD5 password', 'sslmode=no-verify', 'md5', 'the server asks for an MD5 password'],
      ['a plain password', 'sslmode=no-verify', 'password', 'the server asks for the password in plain text'],
    ])('pg rejects a server with %s', async (_what, parameters, method, message) => {
      if (method) {
        await server.query(`set password_encryption = 'md5'; create role as_${method} login password 'a-1-password'`)
        await server.query(`set password_encryption = 'scram-sha-256'`)
      }
      const role = method ? `as_${method}` : undefined
      const url = role ? server.urlFor({ user: role, password: 'a-1-password' }) : server.url
      const hba = method ? [`host all ${role} all ${method}`] : []
      await using rules = await useRules(server, hba)
      void rules
      const pool = poolOf({ url: urlWith(`${parameters}&channel_binding=require`, url) })
      const error = await pool.query('select 1').catch((thrown: Error) => thrown)
      expect(error).toMatchObject({ name: 'ConnectError', code: 'POOLGUARD_CHANNEL_BINDING' })
      expect((error as Error).message).toContain(message)
    })

    test('postgres.js, which has none, says so', () => {
      const url = urlWith('sslmode=require&channel_binding=require')
      expect(() => guardPostgres({ url })).toThrow('postgres.js has no channel binding')
      expect(() => guardPostgres({ url: server.url, channelBinding: 'require' })).toThrow(
        'Invalid option channelBinding',
      )
      expect(() => guardPostgres({ url: urlWith('channel_binding=maybe') })).toThrow('channel_binding must be one of')
      expect(() => guardPostgres({ url: urlWith('channel_binding=prefer') })).not.toThrow()
    })
  })

  test.each([
    [
      'pg',
      (url: string) =>
        (
          (pool) => async () =>
            (await pool.query(IS_TLS)).rows
        )(poolOf({ url, max: 1 })),
    ],
    ['postgres.js', (url: string) => ((sql) => async () => [...(await sql.unsafe(IS_TLS))])(sqlOf({ url, max: 1 }))],
  ])('%s reads the certificate of the authority again when it changes', async (name, connect) => {
    const authority = at(`${name}-ca.crt`)
    copyFileSync(at('first.crt'), authority)
    await using own = await start('first')
    const ask = connect(urlWith(`sslmode=verify-full&sslrootcert=${encodeURIComponent(authority)}`, own.url))
    expect(await ask()).toEqual([{ tls: true }])

    await own.query(`alter system set ssl_cert_file = '${at('second.crt')}'`)
    await own.query(`alter system set ssl_key_file = '${at('second.key')}'`)
    await own.query('select pg_reload_conf()')
    copyFileSync(at('second.crt'), authority)
    await own.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'`)
    const answer = await waitUntil(() => ask(), { what: 'the new certificate is trusted' })
    expect(answer).toEqual([{ tls: true }])
  })
})

describe.runIf(hasOpenssl)('given a server that asks for a client certificate', () => {
  let server: PostgresServer
  beforeAll(async () => {
    await certify('authority', 'authority')
    await certify('client', 'certified', 'authority')
    server = await start('authority', { ssl_ca_file: at('authority.crt') })
    await server.query('create role certified login')
    await useRules(server, ['hostssl all certified all cert'])
  })
  afterAll(() => server.stop())

  const WHO = 'select current_user as name, client_dn as subject from pg_stat_ssl where pid = pg_backend_pid()'
  const CERTIFIED = [{ name: 'certified', subject: '/CN=certified' }]
  const file = (name: string) => encodeURIComponent(at(name))
  const urlWith = (parameters: string) =>
    `${server.urlFor({ user: 'certified' })}?sslmode=verify-full&sslrootcert=${file('authority.crt')}&${parameters}`
  const withCertificate = () => urlWith(`sslcert=${file('client.crt')}&sslkey=${file('client.key')}`)

  test('pg and postgres.js log in with sslcert and sslkey', async () => {
    expect((await poolOf({ url: withCertificate() }).query(WHO)).rows).toEqual(CERTIFIED)
    expect([...(await sqlOf({ url: withCertificate() }).unsafe(WHO))]).toEqual(CERTIFIED)
  })

  test('without it, both are rejected at once', async () => {
    await expect(poolOf({ url: urlWith('') }).query(WHO)).rejects.toMatchObject({ code: '28000' })
    await expect(sqlOf({ url: urlWith('') }).unsafe(WHO)).rejects.toMatchObject({ code: '28000' })
  })

  test('a host name is verified although hostaddr says where to connect, also to cancel a statement', async () => {
    const renamed = (name: string) =>
      `${withCertificate().replace('@127.0.0.1:', `@${name}:`)}&hostaddr=127.0.0.1&target_session_attrs=primary`
    expect((await poolOf({ url: renamed('localhost') }).query(WHO)).rows).toEqual(CERTIFIED)
    expect([...(await sqlOf({ url: renamed('localhost') }).unsafe(WHO))]).toEqual(CERTIFIED)
    const altname = { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }
    await expect(poolOf({ url: renamed('other.invalid') }).query(WHO)).rejects.toMatchObject(altname)
    await expect(sqlOf({ url: renamed('other.invalid') }).unsafe(WHO)).rejects.toMatchObject(altname)

    // Through its name, no server would be found.
    const url = `${withCertificate().replace('@127.0.0.1:', '@other.invalid:')}&hostaddr=127.0.0.1`.replace(
      'verify-full',
      'no-verify',
    )
    const controller = new AbortController()
    const sleeping = poolOf({ url, max: 1 }).query({ text: 'select pg_sleep(60)', signal: controller.signal })
    const running = () =>
      server.query(`select 1 from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'`)
    await waitUntil(running, { what: 'the statement runs' })
    controller.abort(new Error('enough'))
    await expect(sleeping).rejects.toThrow('enough')
    await waitUntil(async () => (await running()).length === 0, { what: 'the statement has been cancelled' })
  })
})

/** Puts rules before those of the server, until the end of the block. */
async function useRules(server: PostgresServer, rules: readonly string[]): Promise<AsyncDisposable> {
  const { readFileSync, writeFileSync } = await import('node:fs')
  const [row] = (await server.query('show hba_file')) as { hba_file: string }[]
  const file = row?.hba_file as string
  const before = readFileSync(file, 'utf8')
  writeFileSync(file, `${rules.join('\n')}\n${before}`)
  await server.query('select pg_reload_conf()')
  return {
    [Symbol.asyncDispose]: async () => {
      writeFileSync(file, before)
      await server.query('select pg_reload_conf()')
    },
  }
}
