import { PrismaPg as PlainPrismaPg } from '@prisma/adapter-pg'
import { expect, test } from 'vitest'
import { PrismaPg } from './prisma-pg.ts'

test("given a URL, then it is an instance of Prisma's factory, and no connection is opened", async () => {
  const factory = new PrismaPg('postgresql://app:secret@localhost/orders?schema=tenant')
  expect(factory).toBeInstanceOf(PlainPrismaPg)
  expect(factory).toMatchObject({ provider: 'postgres', adapterName: '@prisma/adapter-pg' })
  const adapter = await factory.connect()
  expect(adapter.getConnectionInfo?.()).toMatchObject({ schemaName: 'tenant' })
  expect(adapter.underlyingDriver().totalCount).toBe(0)
  await adapter.dispose()
})

test('given a schema as an option, then it overrides the schema in the URL', async () => {
  const adapter = await new PrismaPg('postgresql://localhost/orders?schema=tenant', { schema: 'other' }).connect()
  expect(adapter.getConnectionInfo?.()).toMatchObject({ schemaName: 'other' })
  await adapter.dispose()
})

test.each([
  ['public', undefined],
  ['tenant', '-c search_path="tenant"'],
])('given the schema %s in the URL, then the pool connects with the options %s', async (schema, options) => {
  const given = `postgresql://localhost/orders?schema=${schema}&connection_limit=3`
  for (const config of [{ url: given }, { connectionString: given }]) {
    const adapter = await new PrismaPg(config).connect()
    expect(adapter.getConnectionInfo?.()).toMatchObject({ schemaName: schema })
    expect(adapter.underlyingDriver().options).toHaveProperty('host', 'localhost')
    expect((adapter.underlyingDriver().options as { options?: string }).options).toBe(options)
    await adapter.dispose()
  }
})

test('given an environment variable that is not set, then it throws immediately', () => {
  expect(() => new PrismaPg(process.env.NOT_SET as string)).toThrow('Invalid option url: undefined')
})

test("given the pool's options in place of the adapter's, then it throws, because they would be ignored", () => {
  const options = { fleet: { app: 'orders' } } as object
  expect(() => new PrismaPg('postgresql://localhost/orders', options)).toThrow(
    'Invalid option fleet: an object. It takes no value here: set it in the first argument, as in new PrismaPg({ url, fleet }).',
  )
})
