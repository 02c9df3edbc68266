import { type PoolEvent, snapshotPools } from '@poolguard/core'
import { inBatches, PrismaPg } from '@poolguard/prisma'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PrismaClient } from '#prisma-client'
import {
  describeWithPgBouncer,
  type PgBouncerServer,
  type PostgresServer,
  startPgBouncer,
  startPostgres,
} from '../harness/index.ts'
import { makeRelations } from '../prisma/relations.ts'
import { makeAccounts } from './accounts.ts'

const describePooler = await describeWithPgBouncer('1.24')
describePooler('given PgBouncer 1.24 in transaction mode', () => {
  let server: PostgresServer
  let pooler: PgBouncerServer
  beforeAll(async () => {
    server = await startPostgres({ maxConnections: 20 })
    await makeAccounts(server)
    await makeRelations(server)
    const settings = { default_pool_size: 2 }
    pooler = await startPgBouncer({ version: '1.24', poolMode: 'transaction', upstream: server, settings })
  })
  afterAll(async () => {
    await pooler.stop()
    await server.stop()
  })

  const warnings: string[] = []
  function connect(parameters: string): PrismaClient {
    warnings.length = 0
    const onEvent = (event: PoolEvent) => event.type === 'warning' && warnings.push(event.message)
    const adapter = new PrismaPg({ url: `${pooler.url}${parameters}`, onEvent })
    // Transactions wait for as long as the pool lets them: Prisma's own limit of 2 s is short on a busy machine.
    return new PrismaClient({ adapter, transactionOptions: { maxWait: 60_000 } })
  }

  test('given the URL that prisma init writes, then nothing is refused and nothing warned of', async () => {
    const prisma = connect('?schema=public')
    expect(await prisma.account.count()).toBe(10)
    expect(await prisma.$queryRaw`select count(*)::int n from account`).toEqual([{ n: 10 }])
    await expect.poll(() => snapshotPools()[0]?.topology).toMatchObject({ pooler: { mode: 'transaction' } })
    expect(snapshotPools()[0]?.stats.connectFailures).toEqual({ full: 0, unavailable: 0, permanent: 0 })
    expect(warnings).toEqual([])
    await prisma.$disconnect()
  })

  test('given the URL that Prisma 5 and 6 need here, then its limits hold, and only its flag is warned of', async () => {
    const prisma = connect('?pgbouncer=true&connection_limit=3&pool_timeout=7&connect_timeout=4&schema=public')
    expect(await prisma.account.count()).toBe(10)
    expect(snapshotPools()).toMatchObject([{ stats: { max: 3 } }])
    expect(warnings).toEqual([expect.stringMatching(/^pgbouncer: it is a flag of Prisma 5 and 6/)])
    await prisma.$disconnect()
  })

  test('given far more callers than servers, then reads, relations, transactions and batches all work', async () => {
    const prisma = connect('?schema=public&connection_limit=5')
    const include = { orders: true, notes: true, cards: true, invoices: true }
    const all = await Promise.all(
      Array.from({ length: 60 }, (_, i) => {
        if (i % 3 === 0) return prisma.account.findMany({ include })
        if (i % 3 === 1) return prisma.$transaction([prisma.account.findMany(), prisma.account.count()])
        return prisma.$transaction((tx) => tx.account.findMany({ include }))
      }),
    )
    expect(all).toHaveLength(60)
    const rows = Array.from({ length: 30 }, (_, i) => ({ id: 100 + i, owner: 'batch', balance: 0 }))
    const counts = await inBatches(prisma, rows, (tx, chunk) => tx.account.createMany({ data: chunk }), { size: 10 })
    expect(counts).toEqual([{ count: 10 }, { count: 10 }, { count: 10 }])
    // Prisma settles a transaction before it has released its connection.
    await expect.poll(() => snapshotPools()[0]?.stats).toMatchObject({ active: 0, waiting: 0, timeouts: 0 })
    await prisma.$disconnect()
  })
})
