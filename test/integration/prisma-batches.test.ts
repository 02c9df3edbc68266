import { snapshotPools } from '@poolguard/core'
import { inBatches, PrismaPg } from '@poolguard/prisma'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { PrismaClient } from '#prisma-client'
import { type PostgresServer, startPostgres } from '../harness/index.ts'
import { makeAccounts } from './accounts.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
  await makeAccounts(server)
})
afterAll(() => server.stop())

let prisma: PrismaClient
beforeEach(() => {
  prisma = new PrismaClient({ adapter: new PrismaPg(server.url) })
  return () => prisma.$disconnect()
})

const rows = (count: number) => Array.from({ length: count }, (_, i) => ({ id: 1_000 + i, owner: 'batch', balance: i }))
const written = () => prisma.account.count({ where: { owner: 'batch' } })

test('given many items, then they are written in chunks on one connection, and the results are returned in order', async () => {
  await prisma.account.count()
  // Looking at the other end takes a connection as well.
  await expect.poll(() => snapshotPools()[0]?.topology).toBeTruthy()
  const results = await inBatches(prisma, rows(1_250), async (tx, chunk) => {
    const { count } = await tx.account.createMany({ data: chunk })
    const [backend] = await tx.$queryRaw<{ pid: number }[]>`select pg_backend_pid() pid`
    expect(snapshotPools()[0]?.stats.active).toBe(1)
    return { count, pid: backend?.pid, first: chunk[0]?.id }
  })
  expect(results.map(({ count }) => count)).toEqual([500, 500, 250])
  expect(results.map(({ first }) => first)).toEqual([1_000, 1_500, 2_000])
  expect(new Set(results.map(({ pid }) => pid)).size).toBe(1)
  expect(await written()).toBe(1_250)
  expect((await prisma.account.deleteMany({ where: { owner: 'batch' } })).count).toBe(1_250)
})

test.each([
  [1, [1, 1, 1]],
  [2, [2, 1]],
  [3, [3]],
  [100, [3]],
])('given chunks of %i and three items, then their sizes are %j', async (size, sizes) => {
  expect(await inBatches(prisma, rows(3), (_, chunk) => chunk.length, { size })).toEqual(sizes)
})

test('given a chunk that fails, then nothing of the others is left, and the error is its own', async () => {
  const clash = [...rows(5), { id: 1, owner: 'batch', balance: 0 }]
  await expect(
    inBatches(prisma, clash, (tx, chunk) => tx.account.createMany({ data: chunk }), { size: 2 }),
  ).rejects.toMatchObject({ code: 'P2002' })
  expect(await written()).toBe(0)
})

test('given a transaction that takes too long, then nothing of it is left', async () => {
  const gate = Promise.withResolvers<void>()
  const batches = inBatches(
    prisma,
    rows(2),
    async (tx, chunk) => {
      await tx.account.createMany({ data: chunk })
      await gate.promise
    },
    { size: 1, timeoutMillis: 200 },
  )
  await expect.poll(() => snapshotPools()[0]?.stats.active).toBe(1)
  await expect.poll(() => snapshotPools()[0]?.stats.active).toBe(0)
  gate.resolve()
  await expect(batches).rejects.toMatchObject({ code: 'P2028' })
  expect(await written()).toBe(0)
})

test('given nothing to write, then no transaction is opened', async () => {
  expect(await inBatches(prisma, [], () => expect.unreachable())).toEqual([])
  expect(snapshotPools()).toEqual([])
})

test('given an extended client, then what it adds works in the transaction', async () => {
  const extended = prisma.$extends({
    model: { account: { rename: (id: number, owner: string) => `${id} is ${owner}` } },
    result: { account: { label: { needs: { owner: true }, compute: ({ owner }) => `<${owner}>` } } },
  })
  const [found] = await inBatches(extended, [1], async (tx, [id = 0]) => ({
    text: tx.account.rename(id, 'the owner'),
    label: (await tx.account.findUniqueOrThrow({ where: { id } })).label,
  }))
  expect(found).toEqual({ text: '1 is the owner', label: '<owner 1>' })
})

test.each([
  [{ size: 0 }, 'Invalid option size: 0'],
  [{ size: 1.5 }, 'Invalid option size: 1.5'],
  [{ timeoutMillis: 0 }, 'Invalid option timeoutMillis: 0'],
  [{ timeoutMillis: Number.POSITIVE_INFINITY }, 'Invalid option timeoutMillis: Infinity'],
  [{ maxWaitMillis: Number.NaN }, 'Invalid option maxWaitMillis: NaN'],
])('given %j, then that is refused before anything is done', async (options, message) => {
  await expect(inBatches(prisma, rows(1), () => expect.unreachable(), options)).rejects.toThrow(message)
})
