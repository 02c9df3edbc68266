import * as drizzles from 'drizzle-orm/node-postgres'
import pg from 'pg'
import { expect, expectTypeOf, test } from 'vitest'
import * as entry from './node-postgres.ts'
import { drizzle, type GuardedDatabase, type NodePgDatabase } from './node-postgres.ts'

const url = 'postgresql://app:secret@localhost/orders'

test('given a URL or a configuration, then the pool has those options, and no connection is opened', async () => {
  for (const db of [drizzle(url), drizzle({ connection: url }), drizzle({ connection: { url, max: 3 } })]) {
    expect(db.$client.snapshot()).toMatchObject({ name: 'orders', stats: { total: 0 } })
    await db.$client.end()
  }
  expect(drizzle({ connection: { url, max: 3 } }).$client.settings.values.max).toBe(3)
  expectTypeOf(drizzle(url)).toEqualTypeOf<GuardedDatabase>()
})

test('given an environment variable that is not set, then every form throws', () => {
  const notSet = process.env.NOT_SET as string
  for (const make of [
    () => drizzle(notSet),
    () => drizzle({ connection: { url: notSet } }),
    () => drizzle({ connection: notSet }),
  ]) {
    expect(make).toThrow('Invalid option url: undefined')
  }
})

test("given a guarded pool's options next to the connection, then it throws, because they would be ignored", () => {
  for (const given of [
    { connection: url, fleet: { app: 'orders' } },
    { connection: { url }, instances: 6 },
  ]) {
    expect(() => drizzle(given as never)).toThrow('It takes no value here: set it in connection, as in drizzle(')
  }
})

test('given no configuration, then it throws, because Drizzle would connect to localhost', () => {
  for (const given of [{}, { client: undefined }]) {
    expect(() => drizzle(given as never)).toThrow('Invalid option connection: undefined. It takes a URL or options')
  }
})

test("given the app's own client or pool, then every form uses it unchanged", async () => {
  const guarded = drizzle(url).$client
  for (const client of [new pg.Client(url), new pg.Pool({ connectionString: url }), guarded]) {
    expect(drizzle(client).$client).toBe(client)
    expect(drizzle(client, { logger: false }).$client).toBe(client)
    expect(drizzle({ client }).$client).toBe(client)
  }
  expectTypeOf(drizzle(new pg.Client(url)).$client).toEqualTypeOf<pg.Client>()
  await guarded.end()
})

test("the entry exports everything that Drizzle's entry exports", () => {
  expect(Object.keys(entry)).toEqual(expect.arrayContaining(Object.keys(drizzles)))
  expect(() => drizzle.mock()).not.toThrow()
  expectTypeOf<NodePgDatabase>().toEqualTypeOf<drizzles.NodePgDatabase>()
})
