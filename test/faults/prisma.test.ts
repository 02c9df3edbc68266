import { closePools, snapshotPools } from '@poolguard/core'
import type { GuardedPoolConfig } from '@poolguard/pg'
import { isPoolTimeout, PrismaPg } from '@poolguard/prisma'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { PrismaClient } from '#prisma-client'
import {
  describeWithPgBouncer,
  type PostgresServer,
  startPgBouncer,
  startPostgres,
  waitUntil,
} from '../harness/index.ts'
import { makeAccounts } from '../integration/accounts.ts'
import { holdTransaction } from '../prisma/held-transaction.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
  await makeAccounts(server)
})
afterAll(() => server.stop())

/** Promises that no code awaits must not reject: Prisma creates such promises, and an unhandled rejection would end an app's process. */
const unhandled: unknown[] = []
const hear = (reason: unknown) => unhandled.push(reason)
beforeAll(() => {
  process.on('unhandledRejection', hear)
})
afterAll(() => {
  process.off('unhandledRejection', hear)
})

let prisma: PrismaClient
function connect(config: Omit<GuardedPoolConfig, 'url'>, url = server.url): PrismaClient {
  // Transactions wait for as long as the pool lets them: Prisma's own limit of 2 s is short on a busy machine.
  const transactionOptions = { maxWait: 60_000 }
  prisma = new PrismaClient({ adapter: new PrismaPg({ url, ...config }), transactionOptions })
  return prisma
}
afterEach(async () => {
  await prisma.$disconnect()
  expect(snapshotPools()).toEqual([])
  expect(unhandled).toEqual([])
})

const stats = () => snapshotPools()[0]?.stats
const failure = (work: PromiseLike<unknown>) =>
  Promise.resolve(work).then(
    () => 'it succeeded',
    (error: Error) => error,
  )

test('given a budget of two, when 200 ask at once in every way, then all are served and no more are opened', async () => {
  connect({ pool: { max: 2 } })
  const most = { total: 0 }
  const watch = setInterval(() => {
    most.total = Math.max(most.total, stats()?.total ?? 0)
  }, 1)
  const all = await Promise.all(
    Array.from({ length: 200 }, (_, i) => {
      if (i % 4 === 0) return prisma.account.count()
      if (i % 4 === 1) return prisma.$queryRaw`select 1 one from pg_sleep(0.001)`
      if (i % 4 === 2) return prisma.$transaction([prisma.account.count(), prisma.account.findFirst()])
      return prisma.$transaction((tx) => tx.account.count())
    }),
  )
  clearInterval(watch)
  expect(all).toHaveLength(200)
  expect(most.total).toBeLessThanOrEqual(2)
  expect(stats()).toMatchObject({ opened: 2, active: 0, waiting: 0, timeouts: 0 })
})

test('given a backend that is killed in a transaction, then that fails, its slot comes back and the client goes on', async () => {
  connect({ pool: { max: 1 } })
  const work = prisma.$transaction(async (tx) => {
    await tx.account.update({ where: { id: 1 }, data: { balance: 0 } })
    const [row] = await tx.$queryRaw<{ pid: number }[]>`select pg_backend_pid() pid`
    await server.query(`select pg_terminate_backend(${row?.pid})`)
    await waitUntil(async () => (await server.connectionCount()) === 0, { what: 'the backend is gone' })
    await tx.account.update({ where: { id: 2 }, data: { balance: 0 } })
  })
  expect(await failure(work)).toBeInstanceOf(Error)
  const found = await prisma.account.findMany({ where: { id: { in: [1, 2] } } })
  expect(found.map(({ balance }) => balance)).toEqual([100, 100])
  expect(stats()).toMatchObject({ total: 1, active: 0 })
})

test('given a backend that is killed while a transaction does nothing, then its commit fails and the client goes on', async () => {
  connect({ pool: { max: 1 } })
  const held = await holdTransaction(prisma)
  await server.query(`select pg_terminate_backend(${held.pid})`)
  await waitUntil(async () => (await server.connectionCount()) === 0, { what: 'the backend is gone' })
  expect(await failure(held.end())).toBeInstanceOf(Error)
  expect(await prisma.account.count()).toBe(10)
  expect(stats()).toMatchObject({ total: 1, active: 0 })
})

test('given a server that restarts, then callers wait meanwhile, and are served when it is back', async () => {
  connect({ pool: { max: 3, acquireTimeoutMillis: 20_000 } })
  await Promise.all(Array.from({ length: 3 }, () => prisma.$queryRaw`select 1 one from pg_sleep(0.01)`))
  await server.kill('SIGINT')
  const all = Promise.all(Array.from({ length: 50 }, () => prisma.account.count()))
  await expect.poll(() => stats()?.connectFailures.unavailable).toBeGreaterThan(0)
  await server.restart()
  expect(await all).toEqual(Array(50).fill(10))
})

test('given closePools under load, then leases and waiters finish, later callers are rejected, and no connection is left', async () => {
  connect({ pool: { max: 2 } })
  await prisma.account.count()
  const all = Array.from({ length: 20 }, () => failure(prisma.$queryRaw`select 1 one from pg_sleep(0.5)`))
  await expect.poll(() => stats()).toMatchObject({ active: 2, waiting: 18 })
  const closed = closePools()
  expect(await failure(prisma.$queryRaw`select 1`)).toMatchObject({
    code: 'POOLGUARD_CLOSED',
    message: expect.stringContaining('has been closed'),
  })
  await closed
  expect(await Promise.all(all)).toEqual(Array(20).fill('it succeeded'))
  await expect.poll(() => server.connectionCount()).toBe(0)
  await prisma.$disconnect()
  expect(await prisma.account.count()).toBe(10)
})

test('given an interactive transaction that takes too long, then its connection comes back, and nothing of it is kept', async () => {
  connect({ pool: { max: 1 } })
  await prisma.account.count()
  const held = await holdTransaction(prisma, 200)
  await expect.poll(() => stats()?.active).toBe(0)
  expect(await prisma.account.count()).toBe(10)
  expect(await failure(held.end())).toMatchObject({ code: 'P2028' })
  expect(snapshotPools()).toMatchObject([{ stats: { opened: 1, active: 0 }, dirtyReleases: 0 }])
})

const describePooler = await describeWithPgBouncer('1.24')
describePooler('given PgBouncer in front', () => {
  test('when a query waits for a server longer than query_wait_timeout, then that is recognised, and the client goes on', async () => {
    await using pooler = await startPgBouncer({
      version: '1.24',
      upstream: server,
      settings: { default_pool_size: 1, query_wait_timeout: 1 },
    })
    connect({ pooler: 'transaction', pool: { max: 2 } }, pooler.url)
    const held = await holdTransaction(prisma)
    for (const ask of [() => prisma.account.count(), () => prisma.$queryRaw`select 1`]) {
      const error = await failure(ask())
      expect(error).toBeInstanceOf(Error)
      expect(isPoolTimeout(error)).toBe(true)
    }
    await held.end()
    expect(await prisma.account.count()).toBe(10)
    // Before the pooler stops.
    await prisma.$disconnect()
  })
})
