import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { DelayLine } from './delay-line.ts'
import { failureOf } from './fixtures/failure-of.ts'
import { type FaultProxy, type PostgresServer, queryOnce, startPostgres, startProxy, waitUntil } from './index.ts'

let postgres: PostgresServer
beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres.stop())

let proxy: FaultProxy
const clients: Client[] = []
beforeEach(async () => {
  proxy = await startProxy({ target: postgres })
})
afterEach(async () => {
  await proxy.stop()
  await Promise.allSettled(clients.splice(0).map((client) => client.end()))
})

async function connected(): Promise<Client> {
  const client = new Client({ connectionString: proxy.urlFor(postgres.url) })
  client.on('error', () => {})
  await client.connect()
  clients.push(client)
  return client
}

/** Gives up after a while, as nothing else would end the wait. */
function giveUpAfter(millis: number, sql: string) {
  return { text: sql, query_timeout: millis }
}

async function millisFor(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

describe('a proxy', () => {
  test('is transparent by default, and counts its connections', async () => {
    const client = await connected()
    const { rows } = await client.query(`SELECT repeat('x', 1000000) AS long`)
    expect(rows[0].long).toHaveLength(1_000_000)
    expect(proxy.connections).toBe(1)
    await client.end()
    await waitUntil(() => proxy.connections === 0, { what: 'the connection is gone' })
  })

  test('delays existing and new connections, twice the latency per round trip', async () => {
    const client = await connected()
    proxy.setLatency(60)
    expect(await millisFor(() => client.query('SELECT 1'))).toBeGreaterThanOrEqual(117)
    expect(await millisFor(connected)).toBeGreaterThanOrEqual(117)
    proxy.setLatency(0)
    expect(await millisFor(() => client.query('SELECT 1'))).toBeLessThan(117)
  })

  test('keeps the order when the latency falls', async () => {
    const client = await connected()
    proxy.setLatency(100)
    const results = [client.query('SELECT 1 AS n'), client.query('SELECT 2 AS n')]
    proxy.setLatency(0)
    expect((await Promise.all(results)).map(({ rows }) => rows[0].n)).toEqual([1, 2])
  })

  test('keeps the order when the latency falls while the event loop is late', () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    let latency = 20
    const line = new DelayLine(() => latency)
    const delivered: number[] = []
    line.add(() => delivered.push(1))
    vi.setSystemTime(Date.now() + 50)
    latency = 0
    line.add(() => delivered.push(2))
    expect(delivered).toEqual([])
    vi.runAllTimers()
    expect(delivered).toEqual([1, 2])
  })

  test('as a black hole closes connections that have lost data, once it is healed', async () => {
    const client = await connected()
    const ended = once(client, 'error')
    proxy.blackhole()
    const lost = failureOf(client.query('SELECT 1 AS n'))
    await waitUntil(async () => (await postgres.connectionCount()) === 1, { what: 'the server still has it' })
    await proxy.heal()
    await lost
    await ended
  })

  test('as a black hole swallows everything and keeps the sockets open', async () => {
    const client = await connected()
    proxy.blackhole()
    const { message } = await failureOf(client.query(giveUpAfter(150, 'SELECT 1')))
    expect(message).toMatch(/timeout/i)
    const newcomer = new Client({ connectionString: proxy.urlFor(postgres.url), connectionTimeoutMillis: 150 })
    newcomer.on('error', () => {})
    expect((await failureOf(newcomer.connect())).message).toMatch(/timeout/i)
    expect(await postgres.connectionCount()).toBeGreaterThanOrEqual(1)
  })

  test('as a black hole hides from the server that a client has left, until healed', async () => {
    const client = await connected()
    proxy.blackhole()
    const socket = (client as unknown as { connection: { stream: Socket } }).connection.stream
    socket.destroy()
    await once(socket, 'close')
    expect(await postgres.connectionCount()).toBe(1)
    await proxy.heal()
    await waitUntil(async () => (await postgres.connectionCount()) === 0, { what: 'the server has noticed' })
    await queryOnce(proxy.urlFor(postgres.url), 'SELECT 1')
  })

  test('resets existing connections, and takes new ones', async () => {
    const socket = connect(proxy.port, proxy.host)
    await once(socket, 'connect')
    await waitUntil(() => proxy.connections === 1, { what: 'the connection is known' })
    const broken = once(socket, 'error')
    proxy.reset()
    expect((await broken)[0]).toMatchObject({ code: 'ECONNRESET' })
    await queryOnce(proxy.urlFor(postgres.url), 'SELECT 1')
  })

  test('cuts within a message from the server, on existing and new connections', async () => {
    const client = await connected()
    proxy.cutAfter(1_000)
    const { message } = await failureOf(client.query(`SELECT repeat('x', 100000)`))
    expect(message).toBe('Connection terminated unexpectedly')
    const another = await connected()
    await failureOf(another.query(`SELECT repeat('x', 100000)`))
    await proxy.heal()
    await queryOnce(proxy.urlFor(postgres.url), `SELECT repeat('x', 100000)`)
  })

  test('cuts after exactly so many bytes', async () => {
    proxy.cutAfter(1)
    const socket = connect(proxy.port, proxy.host)
    // An SSLRequest, which PostgreSQL answers with one byte.
    socket.write(Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]))
    const received: Buffer[] = []
    socket.on('data', (chunk) => received.push(chunk))
    await once(socket, 'close')
    expect(Buffer.concat(received)).toHaveLength(1)
  })

  test('refuses new connections while existing ones go on, until healed', async () => {
    const client = await connected()
    proxy.refuse()
    const { code } = await failureOf(queryOnce(proxy.urlFor(postgres.url), 'SELECT 1'))
    expect(code).toBe('ECONNREFUSED')
    await client.query('SELECT 1')
    await proxy.heal()
    await queryOnce(proxy.urlFor(postgres.url), 'SELECT 1')
  })

  test('passes on that no server listens behind it', async () => {
    await using lonely = await startProxy({ target: { host: '127.0.0.1', port: 1 } })
    await failureOf(queryOnce(lonely.urlFor(postgres.url), 'SELECT 1'))
    await waitUntil(() => lonely.connections === 0, { what: 'the connection is gone' })
  })
})
