import { PrismaPg as PlainPrismaPg } from '@prisma/adapter-pg'
import { expect, test } from 'vitest'
import { guardedPoolOfPrisma, poolClassOf, requireOwnPool, UnsupportedAdapterError } from './guarded-pool-of-prisma.ts'

test("given Prisma's adapter, then the class is made from its own copy of pg, and it takes such a pool", async () => {
  const GuardedPool = await guardedPoolOfPrisma()
  const pool = new GuardedPool({ url: 'postgresql://localhost/orders' })
  const adapter = await new PlainPrismaPg(pool).connect()
  expect(() => requireOwnPool(adapter, pool)).not.toThrow()
  expect(await guardedPoolOfPrisma()).toBe(GuardedPool)
})

test.each([
  ['has no such method', {}],
  ['shows something else', { underlyingDriver: () => ({ query() {} }) }],
])('given an adapter that %s, then that is said, and which versions are meant', (_, adapter) => {
  expect(() => poolClassOf(adapter)).toThrow(UnsupportedAdapterError)
  expect(() => poolClassOf(adapter)).toThrow('does not show the pool it has. Versions from 6.16 on')
})

test('given an adapter that has made a pool of its own, then that is said before it connects to anywhere', async () => {
  const pool = new (await guardedPoolOfPrisma())({ url: 'postgresql://localhost/orders' })
  const own = await new PlainPrismaPg({}).connect()
  expect(() => requireOwnPool(own, pool)).toThrow('does not take the pool it is given')
  expect(() => requireOwnPool({}, pool)).toThrow(UnsupportedAdapterError)
})
