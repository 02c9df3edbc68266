import { type GuardedPrismaPgOptions, inBatches, PrismaPg, type TransactionClientOf } from '@poolguard/prisma'
import { PrismaPg as PlainPrismaPg } from '@prisma/adapter-pg'
import { expect, expectTypeOf, test } from 'vitest'
import { type Prisma, PrismaClient } from '#prisma-client'

const url = 'postgresql://app:secret@localhost/orders'
const guarded = () => new PrismaPg({ url, instances: 6 })
const plain = () => new PlainPrismaPg({ connectionString: url })

test("given the guarded adapter, then every client has exactly the type that it has with Prisma's own", () => {
  expectTypeOf(new PrismaClient({ adapter: guarded() })).toEqualTypeOf(new PrismaClient({ adapter: plain() }))

  const omit = { account: { balance: true } } as const
  const withOmit = new PrismaClient({ adapter: guarded(), omit })
  expectTypeOf(withOmit).toEqualTypeOf(new PrismaClient({ adapter: plain(), omit }))
  type Found = NonNullable<Awaited<ReturnType<typeof withOmit.account.findFirst>>>
  expectTypeOf<Found>().toEqualTypeOf<{ id: number; owner: string }>()

  const log: [{ emit: 'event'; level: 'query' }] = [{ emit: 'event', level: 'query' }]
  const withLog = new PrismaClient({ adapter: guarded(), log })
  expectTypeOf(withLog).toEqualTypeOf(new PrismaClient({ adapter: plain(), log }))
  withLog.$on('query', (event) => expectTypeOf(event).toEqualTypeOf<Prisma.QueryEvent>())

  const extension = { result: { account: { label: { needs: { owner: true }, compute: () => 'label' } } } } as const
  const extended = new PrismaClient({ adapter: guarded() }).$extends(extension)
  expectTypeOf(extended).toEqualTypeOf(new PrismaClient({ adapter: plain() }).$extends(extension))

  const include = { orders: true } satisfies Prisma.AccountInclude
  const find = (client: PrismaClient) => client.account.findFirst({ include })
  expectTypeOf(find).returns.resolves.toEqualTypeOf<Prisma.AccountGetPayload<{ include: typeof include }> | null>()
  expectTypeOf(guarded().connect).returns.toEqualTypeOf<ReturnType<PlainPrismaPg['connect']>>()
  expectTypeOf<GuardedPrismaPgOptions>().toHaveProperty('onPoolError')
  expect(guarded()).toBeInstanceOf(PlainPrismaPg)
})

test("given a function over a client that is not known, then the adapter's types do not stand in its way", () => {
  const make = <Client>(create: (options: { adapter: PlainPrismaPg }) => Client): Client =>
    create({ adapter: guarded() })
  expectTypeOf(make((options) => new PrismaClient(options))).toEqualTypeOf(new PrismaClient({ adapter: plain() }))
  expect(guarded().provider).toBe('postgres')
})

test('given inBatches, then its tx is the one of $transaction, and the results are those of the callback', () => {
  expectTypeOf<TransactionClientOf<PrismaClient>>().toEqualTypeOf<Prisma.TransactionClient>()

  const client = new PrismaClient({ adapter: guarded() })
  const extended = client.$extends({ model: { account: { rename: (id: number) => id } } })
  const batches = {
    plain: () => inBatches(client, [1, 2], (tx, chunk) => tx.account.createMany({ data: chunk.map(row) })),
    extended: () =>
      inBatches(extended, ['1'], (tx, chunk) => {
        expectTypeOf(chunk).toEqualTypeOf<string[]>()
        expectTypeOf(tx.account.rename).toEqualTypeOf<(id: number) => number>()
        expectTypeOf(tx).not.toHaveProperty('$disconnect')
        return tx.account.rename(Number(chunk[0]))
      }),
    own: () =>
      extended.$transaction(async (tx) => {
        expectTypeOf<TransactionClientOf<typeof extended>>().toEqualTypeOf(tx)
      }),
  }
  expectTypeOf(batches.plain).returns.resolves.toEqualTypeOf<Prisma.BatchPayload[]>()
  expectTypeOf(batches.extended).returns.resolves.toEqualTypeOf<number[]>()
  expect(Object.keys(batches)).toHaveLength(3)
})

function row(id: number): Prisma.AccountCreateManyInput {
  return { id, owner: 'somebody', balance: 0 }
}
