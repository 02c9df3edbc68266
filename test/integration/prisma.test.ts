import { snapshotPools } from '@poolguard/core'
import { PrismaPg } from '@poolguard/prisma'
import { PrismaPg as PlainPrismaPg } from '@prisma/adapter-pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Prisma, PrismaClient } from '#prisma-client'
import { type PostgresServer, startPostgres, waitUntil } from '../harness/index.ts'
import { makeRelations, RELATED } from '../prisma/relations.ts'
import { makeAccounts } from './accounts.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
  await makeAccounts(server)
  await makeRelations(server)
})
afterAll(() => server.stop())

function guardedStats() {
  const snapshots = snapshotPools()
  expect(snapshots).toHaveLength(1)
  return snapshots[0]
}

test('given the version of Prisma under test, then client and adapter are of it, and the pool is made from its own pg', async () => {
  expect(Prisma.prismaVersion.client.split('.')[0]).toBe(process.env.PRISMA_MAJOR ?? '7')
  const [guarded, plain] = [await new PrismaPg(server.url).connect(), await new PlainPrismaPg({}).connect()]
  expect(guarded.underlyingDriver()).toBeInstanceOf(plain.underlyingDriver().constructor)
  await Promise.all([guarded.dispose(), plain.dispose()])
})

test('given the guarded adapter, then reads, writes and both kinds of transactions work', async () => {
  const prisma = new PrismaClient({ adapter: new PrismaPg(server.url) })
  expect(await prisma.account.findUnique({ where: { id: 1 } })).toEqual({ id: 1, owner: 'owner 1', balance: 100 })
  await prisma.$transaction([
    prisma.account.update({ where: { id: 1 }, data: { balance: { decrement: 5 } } }),
    prisma.account.update({ where: { id: 2 }, data: { balance: { increment: 5 } } }),
  ])
  await expect(
    prisma.$transaction(async (tx) => {
      await tx.account.update({ where: { id: 2 }, data: { balance: 0 } })
      throw new Error('taken back')
    }),
  ).rejects.toThrow('taken back')
  expect(await prisma.account.findMany({ where: { id: { lte: 2 } }, orderBy: { id: 'asc' } })).toMatchObject([
    { balance: 95 },
    { balance: 105 },
  ])
  expect(guardedStats()?.stats.acquired).toBe(4)
  await prisma.$disconnect()
})

test('given a pool that is full, when many ask at once, then all are served within the budget', async () => {
  const prisma = new PrismaClient({ adapter: new PrismaPg({ url: server.url, instances: 7 }) })
  const all = await Promise.all(Array.from({ length: 100 }, () => prisma.account.findMany()))
  expect(all.every((accounts) => accounts.length === 10)).toBe(true)
  // One connection could serve the reads before the other one is open.
  await Promise.all(Array.from({ length: 20 }, () => prisma.$queryRaw`select 1 from pg_sleep(0.1)`))
  expect(guardedStats()).toMatchObject({ budget: { maxPerInstance: 2 }, stats: { opened: 2, max: 2 } })
  await prisma.$disconnect()
})

test('given $disconnect, then no connection is left, and the client works again afterwards', async () => {
  const prisma = new PrismaClient({ adapter: new PrismaPg(server.url) })
  await prisma.account.count()
  await prisma.$disconnect()
  expect(snapshotPools()).toEqual([])
  await expect.poll(() => server.connectionCount()).toBe(0)

  expect(await prisma.account.count()).toBe(10)
  expect(guardedStats()?.stats.opened).toBeGreaterThan(0)
  await prisma.$disconnect()
})

test('given a schema in the URL, then it is the one that is used', async () => {
  await server.query('create schema tenant authorization app')
  await server.query('create table tenant.account (id int primary key, owner text not null, balance int not null)')
  await server.query('alter table tenant.account owner to app')
  const prisma = new PrismaClient({ adapter: new PrismaPg(`${server.url}?schema=tenant`) })
  expect(await prisma.account.count()).toBe(0)
  expect(await prisma.$queryRaw`select count(*)::int n from account`).toEqual([{ n: 0 }])
  await prisma.$disconnect()
})

test('given one findMany with four includes, then it takes four connections at once, but in a transaction one', async () => {
  const prisma = new PrismaClient({ adapter: new PrismaPg(server.url) })
  const include = { orders: true, notes: true, cards: true, invoices: true }
  const locker = new PrismaClient({ adapter: new PrismaPg({ url: server.adminUrl, name: 'locker' }) })
  const blockedQueries = async () => {
    const sql = `select 1 from pg_stat_activity where usename = 'app' and wait_event_type = 'Lock'`
    return (await server.query(sql)).length
  }
  /** How many connections it has when it can get no further than the related tables. */
  const connectionsOf = (work: () => Promise<unknown>, expected: number) =>
    locker.$transaction(async (tx) => {
      await tx.$executeRawUnsafe(`lock table ${RELATED.join(', ')} in access exclusive mode`)
      // An operation of Prisma begins when it is awaited.
      const done = work().then((rows) => rows)
      await waitUntil(async () => (await blockedQueries()) === expected, { what: `${expected} queries wait` })
      return { active: snapshotPools().find(({ name }) => name === 'app')?.stats.active, done }
    })

  await prisma.account.count()
  await expect.poll(() => snapshotPools().find(({ name }) => name === 'app')?.topology).toBeTruthy()
  const outside = await connectionsOf(() => prisma.account.findMany({ include }), 4)
  expect(outside.active).toBe(4)
  expect(await outside.done).toMatchObject(Array(10).fill({ orders: [{}], notes: [{}], cards: [{}], invoices: [{}] }))
  const inside = await connectionsOf(() => prisma.$transaction((tx) => tx.account.findMany({ include })), 1)
  expect(inside.active).toBe(1)
  expect(await inside.done).toHaveLength(10)
  await Promise.all([prisma.$disconnect(), locker.$disconnect()])

  const narrow = new PrismaClient({ adapter: new PrismaPg({ url: server.url, pool: { max: 1 } }) })
  const many = await Promise.all(Array.from({ length: 20 }, () => narrow.account.findMany({ include })))
  expect(many.every((accounts) => accounts.length === 10)).toBe(true)
  expect(guardedStats()?.stats.opened).toBe(1)
  await narrow.$disconnect()
})
