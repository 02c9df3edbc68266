import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../harness/free-port.ts'
import { type PostgresServer, startPostgres } from '../harness/index.ts'
import { giveToServerUser } from '../harness/server-user.ts'
import { runPoolguard } from './run-poolguard.ts'

const run = promisify(execFile)

/** A folder that the servers' user can read. */
function folderWith(files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'poolguard-connect-'))
  chmodSync(folder, 0o755)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

/** The cause that doctor finds for a URL, and its finding. */
async function causeOf(url: string, folder = folderWith()): Promise<{ cause: string; text: string }> {
  const { code, stdout } = await runPoolguard(['doctor', url, '--json'], { folder })
  const { findings, error } = JSON.parse(stdout)
  expect([code, error?.code]).toEqual([2, 'CANNOT_RUN'])
  const [found] = findings
  expect(found).toMatchObject({
    rule: 'cannot-connect',
    data: { page: expect.stringContaining('connection-errors.md#') },
  })
  return { cause: found.data.cause, text: JSON.stringify(found) }
}

/** Sends these bytes to each client; without any, it never answers. */
async function listenWith(greeting?: Buffer) {
  const sockets = new Set<Socket>()
  const listener = createServer((socket) => {
    sockets.add(socket.on('error', () => {}))
    if (greeting) socket.end(greeting)
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const { port } = listener.address() as { port: number }
  return {
    url: `postgresql://app:s3cret@127.0.0.1:${port}/app`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      listener.close()
    },
  }
}

describe('a connection error of a real server', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
    await server.query("create role readers nologin password 'app_password'")
    await server.query('create database closed')
    await server.query('revoke connect on database closed from public')
  })
  afterAll(() => server.stop())

  test.each<[cause: string, target: { user?: string; password?: string; database?: string }, says: string]>([
    ['wrong-password', { password: 'wrong' }, 'percent-encoded'],
    ['wrong-password', { user: 'stranger' }, 'does not know the role stranger'],
    ['no-password', { password: '' }, 'PGPASSWORD'],
    ['unknown-database', { database: 'nowhere' }, 'CREATE DATABASE'],
    ['not-permitted', { user: 'readers' }, 'ALTER ROLE ... LOGIN'],
    ['not-permitted', { database: 'closed' }, 'GRANT CONNECT'],
  ])('%s, given %o', async (cause, target, says) => {
    const found = await causeOf(server.urlFor(target))

    expect(found.cause).toBe(cause)
    expect(found.text).toContain(says)
    expect(found.text).not.toContain('app_password')
  })

  test('no-tls, given a URL that asks for TLS', async () => {
    expect((await causeOf(`${server.url}?sslmode=require`)).cause).toBe('no-tls')
  })
})

test('without a server: refused, and what the compose file publishes', async () => {
  const folder = folderWith({ 'compose.yaml': 'services: { db: { image: postgres, ports: ["5433:5432"] } }' })
  const port = await freePort()
  const { cause, text } = await causeOf(`postgresql://app:s3cret@127.0.0.1:${port}/app`, folder)

  expect(cause).toBe('refused')
  expect(text).toContain('docker compose -f compose.yaml up -d --wait db')
  expect(text).toContain(`publishes port 5433, not ${port}`)
  expect(text).not.toContain('s3cret')
})

test('outside of Compose: the host is a service of the compose file', async () => {
  const folder = folderWith({ 'docker-compose.yml': 'services: { db: { image: postgres, ports: ["5433:5432"] } }' })
  const { cause, text } = await causeOf('postgresql://app:s3cret@db/app', folder)

  expect(cause).toBe('unknown-host')
  expect(text).toContain('db is the service db of docker-compose.yml')
  expect(text).toContain('localhost:5433')
})

test('not-postgres, given another service on the port', async () => {
  // How MySQL greets its clients.
  await using mysql = await listenWith(Buffer.from('4a0000000a382e302e333600', 'hex'))

  expect((await causeOf(mysql.url)).cause).toBe('not-postgres')
})

test('timeout, given a port that accepts and never answers', async () => {
  await using silent = await listenWith()

  expect((await causeOf(silent.url)).cause).toBe('timeout')
})

describe('access rules and TLS', async () => {
  const hasOpenssl = await run('openssl', ['version']).then(
    () => true,
    () => false,
  )
  const folder = folderWith()
  const [key, certificate] = [join(folder, 'server.key'), join(folder, 'server.crt')]
  let server: PostgresServer

  const startWith = async (rules: string): Promise<PostgresServer> => {
    const hba = join(folder, 'pg_hba.conf')
    // The harness starts and asks the server as the superuser.
    writeFileSync(hba, `host all postgres all scram-sha-256\n${rules}`)
    giveToServerUser(hba)
    return await startPostgres({
      settings: { ssl: 'on', ssl_cert_file: certificate, ssl_key_file: key, hba_file: hba },
    })
  }

  describe.runIf(hasOpenssl)('given a certificate', () => {
    beforeAll(async () => {
      const names = ['-subj', '/CN=db.example.com', '-addext', 'subjectAltName=DNS:db.example.com']
      const options = ['-new', '-x509', '-days', '2', '-nodes', '-out', certificate, '-keyout', key]
      await run('openssl', ['req', ...options, ...names])
      chmodSync(key, 0o600)
      for (const path of [folder, key, certificate]) giveToServerUser(path)
      server = await startWith('hostssl app app all scram-sha-256\n')
    })
    afterAll(() => server.stop())

    test.each<[cause: string, parameters: string, target: { user?: string; password?: string; database?: string }]>([
      ['tls-required', '', {}],
      ['no-hba-entry', '?sslmode=no-verify', { user: 'app', database: 'postgres' }],
      ['unknown-certificate', '?sslmode=verify-full', {}],
      ['wrong-certificate-name', `?sslmode=verify-full&sslrootcert=${encodeURIComponent(certificate)}`, {}],
    ])('%s, given %s', async (cause, parameters, target) => {
      expect((await causeOf(`${server.urlFor(target)}${parameters}`)).cause).toBe(cause)
    })

    test('unknown-role, where the access rules ask for no password', async () => {
      await using trusting = await startWith('hostssl all stranger all trust\n')
      const tls = '?sslmode=no-verify'

      expect((await causeOf(`${trusting.urlFor({ user: 'stranger' })}${tls}`)).cause).toBe('unknown-role')
    })
  })
})

test.each([
  ['verify', []],
  ['monitor', []],
  ['stress', ['--duration', '1']],
  ['optimize', []],
  ['plan', ['--instances', '2']],
])('%s explains the error', async (command, args) => {
  const url = `postgresql://app:s3cret@127.0.0.1:${await freePort()}/app`
  const folder = folderWith()
  const shown = await runPoolguard([command, url, ...args], { folder })
  const output = shown.stdout + shown.stderr

  expect(shown.code).toBe(command === 'verify' ? 1 : 2)
  expect(output).toContain('connect ECONNREFUSED')
  expect(output).toContain('no process listens on port')
  expect(output).toContain('connection-errors.md#refused')
  expect(output).not.toContain('s3cret')
  if (command === 'verify') return

  const { error } = JSON.parse((await runPoolguard([command, url, ...args, '--json'], { folder })).stdout)
  expect(error).toMatchObject({ code: 'CANNOT_RUN', cause: 'refused', page: expect.stringContaining('#refused') })
})
