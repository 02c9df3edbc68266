import { type AddressInfo, createServer, type Socket } from 'node:net'
import { HealthMonitor, renderMetrics, snapshotPools } from '@poolguard/core'
import { drizzle } from '@poolguard/drizzle/node-postgres'
import { drizzle as drizzlePostgresJs } from '@poolguard/drizzle/postgres-js'
import poolguardFastify from '@poolguard/fastify'
import { PoolguardModule } from '@poolguard/nestjs'
import { guardPool } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import { PrismaPg } from '@poolguard/prisma'
import { guardDataSource } from '@poolguard/typeorm'
import Fastify from 'fastify'
import { DataSource } from 'typeorm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PrismaClient } from '#prisma-client'
import { type PostgresServer, startPostgres } from '../../harness/index.ts'
import { startApp } from '../../integration/nestjs-app.ts'
import { facesOf } from './faces.ts'
import { findLeaks, type Output } from './find-leaks.ts'
import { look, lookAtOptions } from './subjects.ts'
import { withWarnings } from './watched.ts'

/** Passwords that a real server takes. */
const PASSWORDS = [
  'Zx7qPw3nKv9tRb5mJd2hYc8g',
  'Zx7qPw/3nKv9t@Rb5mJ?d2hYc8g',
  'Zx7qPw 3nKv9t\'Rb5mJ"d2hYc8g',
  'Zx7qPw%3nKv9t#Rb5m&Jd=2hYc8g',
]
const TOKEN = 'Qk4wSx8vTn6yUj2bHf7rLp3d'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 30 })
  for (const [index, password] of PASSWORDS.entries()) {
    await server.query(`create role role_${index} login password '${password.replaceAll("'", "''")}'`)
  }
})
afterAll(() => server.stop())

function urlOf(index: number): string {
  const { host, port } = server
  const options = encodeURIComponent(`-c app.key=${TOKEN}`)
  return `postgresql://role_${index}:${encodeURIComponent(PASSWORDS[index] ?? '')}@${host}:${port}/app?options=${options}&token=${TOKEN}`
}

/** Each password, in an app that works: all that it shows while it runs. */
async function expectNoLeaks(show: (url: string) => Promise<readonly Output[]>): Promise<void> {
  const leaks: string[] = []
  for (const [index, password] of PASSWORDS.entries()) {
    let outputs: readonly Output[] = []
    const warnings = await withWarnings(async () => {
      outputs = await show(urlOf(index))
    })
    const all = [...outputs, ...warnings, ...processOutputs()]
    leaks.push(...[password, TOKEN].flatMap((secret) => findLeaks(secret, all)))
  }
  expect(leaks.length, `secrets are shown:\n${leaks.join('\n')}`).toBe(0)
}

function processOutputs(): Output[] {
  return [
    ...facesOf('all pools', snapshotPools()),
    ...facesOf('health', new HealthMonitor().check()),
    { where: 'metrics', text: renderMetrics().body.toString() },
  ]
}

test('pg: a pool, its clients, its events and its errors', async () => {
  await expectNoLeaks(async (url) => {
    const events: Output[] = []
    const pool = guardPool({ url, onEvent: (event) => events.push(...facesOf('event', event)) })
    const client = await pool.connect()
    const failure = await client.query('select no_such_column').catch((error: unknown) => error)
    client.release()
    await pool.ready()
    const outputs = [
      ...(await look('pool', () => pool)),
      ...(await lookAtOptions('options', () => pool.options)),
      ...(await look('resolved', () => pool.settings)),
      ...(await look('snapshot', () => pool.snapshot())),
      ...facesOf('error', failure),
      ...processOutputs(),
    ]
    await pool.end()
    return [...outputs, ...events]
  })
})

test('postgres.js: a sql, its options, its events and its errors', async () => {
  await expectNoLeaks(async (url) => {
    const events: Output[] = []
    const sql = guardPostgres(url, { onEvent: (event) => void events.push(...facesOf('event', event)) })
    const failure = await sql`select no_such_column`.catch((error: unknown) => error)
    await sql.ready()
    const outputs = [
      ...(await look('sql', () => sql)),
      ...(await lookAtOptions('options', () => sql.options)),
      ...(await look('snapshot', () => sql.snapshot())),
      ...facesOf('error', failure),
      ...processOutputs(),
    ]
    await sql.end()
    return [...outputs, ...events]
  })
})

test('Prisma, Drizzle and TypeORM: clients, and their errors', async () => {
  await expectNoLeaks(async (url) => {
    const prisma = new PrismaClient({ adapter: new PrismaPg({ url }) })
    const overPg = drizzle(url)
    const overPostgresJs = drizzlePostgresJs(url)
    const dataSource = await new DataSource(guardDataSource({ type: 'postgres', url })).initialize()
    const failures = await Promise.all(
      [
        () => prisma.$queryRawUnsafe('select no_such_column'),
        () => overPg.execute('select no_such_column'),
        () => overPostgresJs.execute('select no_such_column'),
        () => dataSource.query('select no_such_column'),
      ].map((query) => Promise.resolve(query()).catch((error: unknown) => error)),
    )
    const outputs = [
      ...failures.flatMap((failure, index) => facesOf(`error ${index}`, failure)),
      ...(await look('client of Drizzle', () => overPg.$client)),
      ...(await look('client of Drizzle on postgres.js', () => overPostgresJs.$client)),
      ...processOutputs(),
    ]
    await Promise.all([prisma.$disconnect(), overPg.$client.end(), overPostgresJs.$client.end(), dataSource.destroy()])
    return outputs
  })
})

test('Fastify: pages, headers and log', async () => {
  await expectNoLeaks(async (url) => {
    const log: string[] = []
    const app = Fastify({ logger: { level: 'trace', stream: { write: (line: string) => void log.push(line) } } })
    app.register(poolguardFastify, { pool: { url }, metrics: true, admin: true, adminToken: TOKEN, details: true })
    app.get('/fails', () => app.poolguard.pool.query('select no_such_column'))
    await app.ready()
    const outputs: Output[] = []
    for (const path of ['/fails', '/healthz', '/readyz', '/metrics', '/admin/db-pool-stats', '/no-such-page']) {
      for (const accept of ['application/json', 'text/html']) {
        const authorization = path.startsWith('/admin') ? { authorization: `Bearer ${TOKEN}` } : {}
        const answer = await app.inject({ url: path, headers: { accept, ...authorization } })
        outputs.push({ where: path, text: `${JSON.stringify(answer.headers)} ${answer.body}` })
      }
    }
    await app.close()
    return [...outputs, { where: 'log', text: log.join('\n') }]
  })
})

test('NestJS: pages', async () => {
  await expectNoLeaks(async (url) => {
    const running = await startApp('express', { imports: [PoolguardModule.forRoot({ url, metrics: true })] })
    const outputs: Output[] = []
    for (const path of ['/metrics', '/no-such-page']) {
      outputs.push({ where: path, text: await (await running.get(path)).text() })
    }
    outputs.push(...facesOf('app', running.app.getHttpAdapter().getType()))
    await running.app.close()
    return outputs
  })
})

/** A server that repeats the password it was sent, as a proxy does that logs what it does not understand. */
test('a message of the server that repeats the password', async () => {
  const [password = ''] = PASSWORDS
  const sockets = new Set<Socket>()
  const echo = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => {
      // AuthenticationCleartextPassword, and then an ErrorResponse.
      socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]))
      socket.once('data', (answer) => {
        const sent = answer.subarray(5, -1).toString()
        const fields = Buffer.from(`SFATAL\0C28P01\0Mpassword "${sent}" is wrong\0Dit was ${sent}\0\0`)
        const head = Buffer.alloc(5)
        head.write('E')
        head.writeInt32BE(fields.length + 4, 1)
        socket.end(Buffer.concat([head, fields]))
      })
    })
  })
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve))
  const { port } = echo.address() as AddressInfo
  const outputs: Output[] = []
  const onEvent = (event: unknown) => void outputs.push(...facesOf('event', event))
  for (const given of [password, () => password, async () => password]) {
    const pool = { acquireTimeoutMillis: 300 }
    const address = { host: '127.0.0.1', port, user: 'app', database: 'app', password: given, pool }
    const guarded = guardPool({ ...address, onEvent })
    const sql = guardPostgres({ ...address, onEvent })
    outputs.push(...(await look('pg', () => guarded.query('select 1'))))
    outputs.push(...(await look('postgres.js', async () => await sql`select 1`)))
    await Promise.all([guarded.end(), sql.end({ timeout: 0 })])
  }
  for (const socket of sockets) socket.destroy()
  echo.close()
  expect(outputs.map(({ text }) => text).join('')).toContain('password "***" is wrong')
  expect(findLeaks(password, outputs)).toEqual([])
})

test('an error of a password function brings none of its own properties', async () => {
  const request = { headers: { authorization: `Bearer ${TOKEN}` } }
  const password = () => Promise.reject(Object.assign(new Error('no token'), { config: request }))
  const pool = guardPool({ host: '127.0.0.1', port: 1, user: 'app', password })
  const error = await pool.query('select 1').catch((thrown: unknown) => thrown)
  await pool.end()

  expect(findLeaks(TOKEN, [{ where: 'own properties', text: JSON.stringify({ ...(error as object) }) }])).toEqual([])
})
