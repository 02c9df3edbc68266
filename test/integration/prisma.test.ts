import { snapshotPools } from '@poolguard/core'
import { PrismaPg } from '@poolguard/prisma'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PrismaClient } from '../generated/prisma/client.ts'
import { type PostgresServer, startPostgres } from '../harness/index.ts'
import { makeAccounts } from './accounts.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
  await makeAccounts(server)
})
afterAll(() => server.stop())

function guardedStats() {
  const snapshots = snapshotPools()
  expect(snapshots).toHaveLength(1)
  return snapshots[0]
}

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
  expect(guardedStats()?.stats.acquired).toBeGreaterThan(4)
  await prisma.$disconnect()
})

test('given a pool that is full, when many ask at once, then all are served within the budget', async () => {
  const prisma = new PrismaClient({ adapter: new PrismaPg({ url: server.url, instances: 7 }) })
  const all = await Promise.all(Array.from({ length: 100 }, () => prisma.account.findMany()))
  expect(all.every((accounts) => accounts.length === 10)).toBe(true)
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
  await prisma.$disconnect()
})
