import { snapshotPools } from '@poolguard/core'
import { PrismaPg } from '@poolguard/prisma'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { PrismaClient } from '#prisma-client'
import { type PostgresServer, startPostgres } from '../harness/index.ts'
import { holdTransaction } from '../prisma/held-transaction.ts'
import { makeAccounts } from './accounts.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
  await makeAccounts(server)
  process.env.PRISMA_APP_URL = server.url
})
afterAll(() => server.stop())

const warnings: string[] = []
const hear = ({ message }: Error) => warnings.push(message)
beforeEach(() => {
  process.on('warning', hear)
})
afterEach(() => {
  process.off('warning', hear)
  warnings.length = 0
})

/** Evaluates the app and poolguard once more, as a development server does that bundles both; Prisma and pg stay. */
async function load(): Promise<PrismaClient> {
  vi.resetModules()
  const app = await import('../prisma/app.ts')
  return app.prisma
}

test('given a name and a module that is loaded anew again and again, then there is one pool, and no listener piles up', async () => {
  const clients: PrismaClient[] = []
  for (let i = 0; i < 12; i++) {
    const prisma = await load()
    expect(await Promise.all(Array.from({ length: 5 }, () => prisma.account.count()))).toEqual(Array(5).fill(10))
    clients.push(prisma)
  }
  expect(new Set(clients).size).toBe(12)
  expect(snapshotPools()).toMatchObject([{ name: 'orders', stats: { max: 3 } }])
  expect(await server.connectionCount()).toBeLessThanOrEqual(3)
  expect(warnings).toEqual([])

  const [latest, ...older] = clients.toReversed() as [PrismaClient, ...PrismaClient[]]
  await Promise.all(older.map((prisma) => prisma.$disconnect()))
  expect(snapshotPools()).toMatchObject([{ name: 'orders', stats: { max: 3 } }])
  expect(await latest.account.count()).toBe(10)

  await latest.$disconnect()
  expect(snapshotPools()).toEqual([])
  await expect.poll(() => server.connectionCount()).toBe(0)
})

test('given $disconnect, when either client goes on, then it has a pool again', async () => {
  const [older, latest] = [await load(), await load()] as const
  await older.account.count()
  await latest.account.count()
  await latest.$disconnect()
  expect(await latest.account.count()).toBe(10)
  await older.$disconnect()
  expect(await latest.account.count()).toBe(10)
  expect(await older.account.count()).toBe(10)
  expect(snapshotPools()).toHaveLength(1)
  await older.$disconnect()
  expect(snapshotPools()).toEqual([])
})

test('given a pool that an earlier load has made, when it has no connection available, then the error is still P2024', async () => {
  await (await load()).account.count()
  const latest = await load()
  const held = await Promise.all([1, 2, 3].map(() => holdTransaction(latest)))
  await expect(latest.account.count()).rejects.toMatchObject({ code: 'P2024', meta: { connection_limit: 3 } })
  await Promise.all(held.map(({ end }) => end()))
  await latest.$disconnect()
})

test('given a change of options under the same name, then the new pool takes the place of the old one, with a warning', async () => {
  const before = new PrismaClient({ adapter: new PrismaPg({ url: server.url, name: 'bills', pool: { max: 2 } }) })
  await before.account.count()
  const after = new PrismaClient({ adapter: new PrismaPg({ url: server.url, name: 'bills', pool: { max: 3 } }) })
  expect(await after.account.count()).toBe(10)
  await expect.poll(() => snapshotPools()).toMatchObject([{ name: 'bills', stats: { max: 3 } }])
  expect(warnings).toEqual([expect.stringContaining('pool "bills" was created again with different options')])
  await before.$disconnect()
  expect(await after.account.count()).toBe(10)
  await after.$disconnect()
})
