import { PrismaPg as PlainPrismaPg } from '@prisma/adapter-pg'
import { expect, test } from 'vitest'
import { guardedPoolOfPrisma, poolClassOf, requireOwnPool, UnsupportedAdapterError } from './guarded-pool-of-prisma.ts'

test("given Prisma's adapter, then the class extends the Pool of its copy of pg, and the adapter accepts such a pool", async () => {
  const GuardedPool = await guardedPoolOfPrisma()
  const pool = new GuardedPool({ url: 'postgresql://localhost/orders' })
  const adapter = await new PlainPrismaPg(pool).connect()
  expect(() => requireOwnPool(adapter, pool)).not.toThrow()
  expect(await guardedPoolOfPrisma()).toBe(GuardedPool)
})

test.each([
  ['has no such method', {}],
  ['shows something else', { underlyingDriver: () => ({ query() {} }) }],
])('given an adapter that %s, then the error names the supported versions', (_, adapter) => {
  expect(() => poolClassOf(adapter)).toThrow(UnsupportedAdapterError)
  expect(() => poolClassOf(adapter)).toThrow('does not expose its pool. Install version 6.16 or later, below 8.')
})

test('given an adapter that created its own pool, then it throws before the adapter connects', async () => {
  const pool = new (await guardedPoolOfPrisma())({ url: 'postgresql://localhost/orders' })
  const own = await new PlainPrismaPg({}).connect()
  expect(() => requireOwnPool(own, pool)).toThrow('does not accept the guarded pool')
  expect(() => requireOwnPool({}, pool)).toThrow(UnsupportedAdapterError)
})
