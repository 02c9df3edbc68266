import { setTimeout as sleep } from 'node:timers/promises'
import { snapshotPools } from '@poolguard/core'
import { isPoolTimeout, isTooManyConnections, PrismaPg } from '@poolguard/prisma'
import { PrismaPg as PlainPrismaPg } from '@prisma/adapter-pg'
import { DrizzleQueryError } from 'drizzle-orm/errors'
import pg from 'pg'
import postgres from 'postgres'
import { QueryFailedError } from 'typeorm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Prisma, PrismaClient } from '#prisma-client'
import {
  describeWithPgBouncer,
  type PostgresServer,
  SESSIONS_OF_THE_APP,
  startPgBouncer,
  startPostgres,
  startProxy,
} from '../harness/index.ts'
import { holdTransaction } from '../prisma/held-transaction.ts'
import { makeAccounts } from './accounts.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
  await makeAccounts(server)
})
afterAll(() => server.stop())

/** Transactions wait for as long as the pool lets them, so that the pool says why there is no connection. */
const PATIENT = { transactionOptions: { maxWait: 20_000 } }

/** Resolves when one caller waits for a connection of a pool. */
async function aCallerWaits(name: string): Promise<void> {
  const waiting = () => snapshotPools().find((pool) => pool.name === name)?.stats.waiting
  await expect.poll(waiting).toBe(1)
}

type Operation = (prisma: PrismaClient) => PromiseLike<unknown>

/** Every way in which an app asks for a connection. */
const operations: Readonly<Record<string, Operation>> = {
  'a query': (prisma) => prisma.account.findMany(),
  'a write with its own transaction': (prisma) =>
    prisma.account.create({ data: { id: 99, owner: 'new', balance: 0, orders: { create: { id: 99 } } } }),
  'a raw query': (prisma) => prisma.$queryRaw`select 1`,
  'a raw statement': (prisma) => prisma.$executeRaw`select 1`,
  'a batch transaction': (prisma) => prisma.$transaction([prisma.account.count(), prisma.account.count()]),
  'an interactive transaction': (prisma) => prisma.$transaction((tx) => tx.account.count()),
}

/** What it fails with, which is to be an error that Prisma knows. */
async function knownFailure(operation: PromiseLike<unknown>): Promise<Prisma.PrismaClientKnownRequestError> {
  const error = await failure(operation)
  expect(error).toBeInstanceOf(Prisma.PrismaClientKnownRequestError)
  return error as Prisma.PrismaClientKnownRequestError
}

function failure(operation: PromiseLike<unknown>): Promise<unknown> {
  return Promise.resolve(operation).then(
    () => expect.unreachable('it succeeded'),
    (error: unknown) => error,
  )
}

describe('given every connection is in use for longer than acquireTimeoutMillis', () => {
  test.for(Object.entries(operations))(
    'when %s asks for one, then it fails with P2024 and says why',
    async ([, ask]) => {
      const pool = { max: 1, acquireTimeoutMillis: 1_000 }
      const adapter = new PrismaPg({ url: server.url, name: 'orders', pool })
      const prisma = new PrismaClient({ adapter, ...PATIENT })
      const held = await holdTransaction(prisma)
      const error = await knownFailure(ask(prisma))
      expect(error).toMatchObject({
        code: 'P2024',
        clientVersion: expect.stringMatching(/^[67]\.\d+\.\d+$/),
        meta: { connection_limit: 1, timeout: 1 },
      })
      expect(error.message).toContain('Timed out fetching a new connection from the connection pool')
      expect(error.message).toMatch(/No connection from pool "orders" within \d+ ms: 1 of 1 active/)
      expect([isPoolTimeout(error), isTooManyConnections(error)]).toEqual([true, false])
      await held.end()
      expect(await prisma.account.count()).toBe(10)
      await prisma.$disconnect()
    },
  )
})

test('given as many waiters as may wait, then one more is turned away at once with P2024', async () => {
  const pool = { max: 1, maxWaiters: 1 }
  const prisma = new PrismaClient({ adapter: new PrismaPg({ url: server.url, name: 'saturated', pool }) })
  await prisma.account.count()
  const held = await holdTransaction(prisma)
  const waiting = prisma.account.count().then((count) => count)
  await aCallerWaits('saturated')
  const error = await knownFailure(prisma.account.count())
  expect(error).toMatchObject({ code: 'P2024', meta: { connection_limit: 1, timeout: 10 } })
  expect(error.message).toContain('is saturated')
  expect(isPoolTimeout(error)).toBe(true)
  await held.end()
  expect(await waiting).toBe(10)
  await prisma.$disconnect()
})

describe('given a server that is full all the time', () => {
  beforeAll(() => server.query('alter role app connection limit 0'))
  afterAll(() => server.query('alter role app connection limit -1'))

  test.for(Object.entries(operations))('when %s asks for a connection, then it fails with P2037', async ([, ask]) => {
    // Long enough for the server to refuse a connection, on a busy machine, too.
    const pool = { acquireTimeoutMillis: 1_500 }
    const prisma = new PrismaClient({ adapter: new PrismaPg({ url: server.url, pool }), ...PATIENT })
    const error = await knownFailure(ask(prisma))
    expect(error).toMatchObject({
      code: 'P2037',
      meta: { driverAdapterError: { cause: { originalCode: '53300', kind: 'TooManyConnections' } } },
    })
    expect(error.message).toContain('Too many database connections opened')
    expect(error.message).toContain('let the instances share the connections')
    expect([isTooManyConnections(error), isPoolTimeout(error)]).toEqual([true, true])
    await prisma.$disconnect()
  })

  test.for(Object.entries(operations))(
    "when %s fails with Prisma's own adapter, then it is recognised",
    async ([, ask]) => {
      const prisma = new PrismaClient({ adapter: new PlainPrismaPg({ connectionString: server.url }) })
      const error = await failure(ask(prisma))
      expect([isTooManyConnections(error), isPoolTimeout(error)]).toEqual([true, false])
      await prisma.$disconnect()
    },
  )

  test('when another driver or ORM fails, then that is recognised, too', async () => {
    const viaPg = await failure(new pg.Client(server.url).connect())
    const sql = postgres(server.url, { max: 1 })
    const errors = [viaPg, await failure(sql`select 1`)]
    errors.push(new DrizzleQueryError('select 1', [], viaPg as Error))
    errors.push(new QueryFailedError('select 1', [], viaPg as Error))
    for (const error of errors) expect([isTooManyConnections(error), isPoolTimeout(error)]).toEqual([true, false])
    await sql.end()
  })
})

test.for(Object.entries(operations))(
  "given Prisma's own adapter, when %s waits in vain, then that is recognised",
  async ([, ask]) => {
    const config = { connectionString: server.url, max: 1, connectionTimeoutMillis: 1_500 }
    const prisma = new PrismaClient({ adapter: new PlainPrismaPg(config) })
    const held = await holdTransaction(prisma)
    const error = await failure(ask(prisma))
    expect([isPoolTimeout(error), isTooManyConnections(error)]).toEqual([true, false])
    await held.end()
    await prisma.$disconnect()
  },
)

test('given an interactive transaction that may wait for less than the pool lets it, then its P2028 is recognised', async () => {
  const adapter = new PrismaPg({ url: server.url, name: 'impatient', pool: { max: 1 } })
  const prisma = new PrismaClient({ adapter })
  const held = await holdTransaction(prisma)
  const waiting = failure(prisma.$transaction((tx) => tx.account.count(), { maxWait: 100 }))
  await aCallerWaits('impatient')
  // Prisma 6 looks at the clock only when it has its connection.
  await sleep(150)
  await held.end()
  expect(await waiting).toMatchObject({ code: 'P2028' })
  expect(isPoolTimeout(await waiting)).toBe(true)
  expect(await prisma.account.count()).toBe(10)
  await prisma.$disconnect()
})

test('given a server that cannot be reached until the wait is over, then P2024 says so', async () => {
  const gone = await startPostgres()
  const options = { url: gone.url, pool: { acquireTimeoutMillis: 300 } }
  const prisma = new PrismaClient({ adapter: new PrismaPg({ ...options, waitForServer: true }) })
  await gone.stop()
  const error = await knownFailure(prisma.account.count())
  expect(error).toMatchObject({ code: 'P2024', meta: { connection_limit: 10, timeout: 0.3 } })
  expect(error.message).toContain('No connection can be opened at the moment (connect ECONNREFUSED')
  expect([isPoolTimeout(error), isTooManyConnections(error)]).toEqual([true, false])
  await prisma.$disconnect()

  const impatient = new PrismaClient({ adapter: new PrismaPg(options) })
  expect(await knownFailure(impatient.account.count())).toMatchObject({ code: 'P1001' })
  await impatient.$disconnect()
})

test.each([
  ['a wrong password', (url: URL) => Object.assign(url, { password: 'wrong' }), 'P1000'],
  ['a database that does not exist', (url: URL) => Object.assign(url, { pathname: '/nowhere' }), 'P1003'],
] as const)("given %s, then the error is the one of Prisma's own adapter", async (_, change, code) => {
  const url = change(new URL(server.url)).href
  for (const adapter of [new PlainPrismaPg({ connectionString: url }), new PrismaPg(url)]) {
    const prisma = new PrismaClient({ adapter })
    expect(await knownFailure(prisma.account.count())).toMatchObject({ code })
    await prisma.$disconnect()
  }
})

describe('given a connection that is lost before a transaction ends', () => {
  test('when it commits, then the error is P1017, and says that the outcome is unknown', async () => {
    await using proxy = await startProxy({ target: server })
    const prisma = new PrismaClient({ adapter: new PrismaPg({ url: proxy.urlFor(server.url) }), ...PATIENT })
    const transaction = prisma.$transaction(async (tx) => {
      await tx.account.count()
      proxy.reset()
    })
    const error = await knownFailure(transaction)
    expect(error).toMatchObject({
      code: 'P1017',
      meta: { driverAdapterError: expect.any(Error) },
    })
    expect(error.message).toContain('may or may not have been committed')
    await prisma.$disconnect()
  })

  test('when the server has terminated its session, then the error is the same', async () => {
    const prisma = new PrismaClient({ adapter: new PrismaPg({ url: server.url }), ...PATIENT })
    const transaction = prisma.$transaction(async (tx) => {
      await tx.account.count()
      await server.query(`select pg_terminate_backend(pid) from ${SESSIONS_OF_THE_APP}`)
    })
    expect(await knownFailure(transaction)).toMatchObject({
      code: 'P1017',
      meta: { driverAdapterError: expect.any(Error) },
    })
    await prisma.$disconnect()
  })

  test('when the app has thrown, then its own error is what it gets', async () => {
    await using proxy = await startProxy({ target: server })
    const prisma = new PrismaClient({ adapter: new PrismaPg({ url: proxy.urlFor(server.url) }), ...PATIENT })
    const own = new Error('out of stock')
    const transaction = prisma.$transaction(async (tx) => {
      await tx.account.count()
      proxy.reset()
      throw own
    })
    expect(await failure(transaction)).toBe(own)
    await prisma.$disconnect()
  })
})

const describePooler = await describeWithPgBouncer('1.24')
describePooler('given PgBouncer without a client connection left', () => {
  test('when a query fails, then it is recognised with either adapter', async () => {
    await using pooler = await startPgBouncer({ version: '1.24', upstream: server, settings: { max_client_conn: 1 } })
    const config = {
      connectionString: pooler.url,
      pooler: 'transaction' as const,
      pool: { acquireTimeoutMillis: 1_500 },
    }
    const hog = new PrismaClient({ adapter: new PlainPrismaPg(config) })
    const held = await holdTransaction(hog)
    for (const adapter of [new PlainPrismaPg(config), new PrismaPg(config)]) {
      const prisma = new PrismaClient({ adapter })
      for (const ask of Object.values(operations)) {
        expect(isTooManyConnections(await failure(ask(prisma)))).toBe(true)
      }
      await prisma.$disconnect()
    }
    await held.end()
    await hog.$disconnect()
  })
})
