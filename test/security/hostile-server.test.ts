import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { GuardedPool, PgBouncerConsole, postgresSource } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { message } from '../imitations/protocol.ts'

const READY = message('Z', 'I')
const LOGIN = Buffer.concat([message('R', '\0\0\0\0'), message('K', '\0\0\0\u0001\0\0\0\u0002'), READY])

/** What a server of this protocol never sends. */
const MESSAGES: Readonly<Record<string, Buffer>> = {
  'a row without a count of fields': Buffer.concat([message('D'), READY]),
  'a row whose fields are missing': Buffer.concat([message('D', '\0\u0005'), READY]),
  'a row whose field is longer than the message': Buffer.concat([
    message('D', '\0\u0001\u007f\u00ff\u00ff\u00ff'),
    READY,
  ]),
  'a description without fields': Buffer.concat([message('T', '\u007f\u007f'), READY]),
  'an error without an end': Buffer.concat([message('E', 'SFATAL'), READY]),
  'a status without a value': Buffer.concat([message('S', 'name'), READY]),
  'a notification without a body': Buffer.concat([message('A'), READY]),
  'an authentication that is none': Buffer.concat([message('R'), READY]),
  'a letter that is none': Buffer.concat([message('\u0001', 'x'), READY]),
}

let server: Server
const sockets = new Set<Socket>()
let answer = READY
beforeAll(async () => {
  server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.once('data', () => {
      socket.write(LOGIN)
      socket.on('data', () => socket.write(answer))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(() => {
  for (const socket of sockets) socket.destroy()
  server.close()
})

const url = () => `postgresql://app@127.0.0.1:${(server.address() as AddressInfo).port}/app`
const settled = (work: Promise<unknown>) =>
  work.then(
    () => 'settled',
    () => 'settled',
  )

/** An exception in a listener of a socket would end the test's process. */
describe.each(Object.entries(MESSAGES))('given a server that answers with %s', (_what, hostile) => {
  beforeAll(() => {
    answer = hostile
  })

  test('then a query of a guarded pool ends, and so does the pool', async () => {
    const pool = new GuardedPool({
      url: url(),
      query_timeout: 500,
      pool: { acquireTimeoutMillis: 1_000 },
      onEvent: () => {},
    })
    expect(await settled(pool.query('select 1'))).toBe('settled')
    expect(await settled(pool.end())).toBe('settled')
  })

  test('then a query of guarded postgres.js ends, and so do its connections', async () => {
    const sql = guardPostgres(url(), { pool: { acquireTimeoutMillis: 1_000 }, onEvent: () => {}, fetch_types: false })
    const query = settled(sql`select 1`)
    await settled(Promise.race([query, new Promise((resolve) => setTimeout(resolve, 1_000))]))
    expect(await settled(sql.end({ timeout: 1 }))).toBe('settled')
  })

  test('then a source of metrics and a console give up', async () => {
    expect(await settled(postgresSource(url(), { timeoutMillis: 500 }).read())).toBe('settled')
    const console = settled(PgBouncerConsole.connect(url()).then((opened) => opened.version()))
    expect(await console).toBe('settled')
  })
})
