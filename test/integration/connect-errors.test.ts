import { connect, createServer } from 'node:net'
import { GuardedPool } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import { guardDataSource } from '@poolguard/typeorm'
import { DataSource } from 'typeorm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../harness/free-port.ts'
import { type PostgresServer, startPostgres } from '../harness/index.ts'
import { imitatePooler } from '../imitations/pooler.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
})
afterAll(() => server.stop())

interface Options {
  readonly pool?: { readonly acquireTimeoutMillis: number }
  readonly waitForServer?: boolean
  readonly onEvent?: (event: { readonly type: string }) => void
}

/** Asks once through a pool of its own. */
const ways: Readonly<Record<string, (url: string, options?: Options) => Promise<unknown>>> = {
  pg: async (url, options) => {
    const pool = new GuardedPool({ url, ...options })
    return await pool.query('select 1').finally(() => pool.end())
  },
  'postgres.js': async (url, options) => {
    const sql = guardPostgres(url, options as never)
    return await sql`select 1`.finally(() => sql.end())
  },
  typeorm: async (url, options) => {
    const dataSource = new DataSource(guardDataSource({ type: 'postgres', url }, options as never))
    await dataSource.initialize()
    await dataSource.destroy()
  },
}

describe.each(Object.entries(ways))('%s', (_way, ask) => {
  test('given a database that does not exist, then the error looks like the one of the server', async () => {
    const error = await ask(server.urlFor({ database: 'nowhere' })).catch((reason) => reason)
    expect(error).toMatchObject({
      code: '3D000',
      message: 'database "nowhere" does not exist',
      cause: { code: '3D000' },
    })
  })

  test('given a server that was never reached, then callers are rejected at once, with the reason', async () => {
    const url = `postgresql://app@127.0.0.1:${await freePort()}/app`
    await expect(ask(url)).rejects.toMatchObject({
      code: 'ECONNREFUSED',
      message: expect.stringMatching(/^connect ECONNREFUSED .*waitForServer/),
    })
    await expect(ask(url, { waitForServer: true, pool: { acquireTimeoutMillis: 200 } })).rejects.toMatchObject({
      code: 'POOLGUARD_ACQUIRE_TIMEOUT',
      message: expect.stringContaining('timeout exceeded when trying to connect'),
    })
  })

  test.each([
    ['XX000', '(EMAXCONNSESSION) max clients reached in session mode - max clients are limited to pool_size: 15'],
    ['XX000', 'Too many connections attempts'],
    ['99999', 'an unknown reason'],
  ])('given a pooler (imitated) that says %s %s for a while, then callers wait for it', async (code, message) => {
    let refusals = 0
    await using pooler = await imitatePooler({
      server,
      inventsPid: false,
      refuses: () => (refusals++ < 3 ? { code, message } : undefined),
    })
    await ask(pooler.url)
    expect(refusals).toBeGreaterThan(3)
  })

  test('given a pooler (imitated) that refuses startup parameters as RDS Proxy does, then they are left out', async () => {
    const refused: string[] = []
    const refuses = (parameters: ReadonlyMap<string, string>) => {
      const name = ['options', 'statement_timeout', 'search_path'].find((each) => parameters.has(each))
      if (name === undefined) return undefined
      refused.push(name)
      const what = name === 'options' ? 'command-line options' : `the option ${name}`
      return { code: '0A000', message: `Feature not supported: RDS Proxy currently doesn't support ${what}.` }
    }
    await using pooler = await imitatePooler({ server, inventsPid: false, refuses })
    const warnings: unknown[] = []
    const onEvent = (event: { readonly type: string }) => event.type === 'warning' && warnings.push(event)
    await ask(`${pooler.url}?statement_timeout=5s&schema=public`, { onEvent })
    expect(refused.length).toBeGreaterThan(0)
    expect(JSON.stringify(warnings)).toContain('ALTER ROLE')
  })
})

test('without a password, pg fails by itself, and the connection is closed at once', async () => {
  const closed = Promise.withResolvers<void>()
  await using listener = createServer((client) => {
    const upstream = connect(server.port, server.host).on('error', () => {})
    client
      .on('error', () => {})
      .on('close', () => {
        upstream.destroy()
        closed.resolve()
      })
    client.pipe(upstream).pipe(client)
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const { port } = listener.address() as { port: number }
  const pool = new GuardedPool({ url: `postgresql://app@127.0.0.1:${port}/app`, password: undefined })

  await expect(pool.query('select 1')).rejects.toThrow('client password must be a string')
  // Long before the server's authentication_timeout of a minute.
  await closed.promise
  await pool.end()
})
