import { expect, expectTypeOf, test } from 'vitest'
import { drizzle, type GuardedDatabase } from './node-postgres.ts'

const url = 'postgresql://app:secret@localhost/orders'

test('given a URL or a configuration, then the pool behind it has what was said, and nothing is connected', async () => {
  for (const db of [drizzle(url), drizzle({ connection: url }), drizzle({ connection: { url, max: 3 } })]) {
    expect(db.$client.snapshot()).toMatchObject({ name: 'orders', stats: { total: 0 } })
    await db.$client.end()
  }
  expect(drizzle({ connection: { url, max: 3 } }).$client.resolved.settings.max).toBe(3)
  expectTypeOf(drizzle(url)).toEqualTypeOf<GuardedDatabase>()
})

test('given an environment variable that is not set, then that is said, in each form', () => {
  const notSet = process.env.NOT_SET as string
  for (const make of [
    () => drizzle(notSet),
    () => drizzle({ connection: { url: notSet } }),
    () => drizzle({ connection: notSet }),
  ]) {
    expect(make).toThrow('Invalid option url: undefined')
  }
})

test("given a guarded pool's options beside the connection, then that is said: nobody would read them", () => {
  for (const given of [
    { connection: url, fleet: { app: 'orders' } },
    { connection: { url }, instances: 6 },
  ]) {
    expect(() => drizzle(given as never)).toThrow('It takes no value here: it stands in connection, as in drizzle(')
  }
})

test('given a pool, or nothing, in place of a configuration, then that is said: it would lead to localhost', async () => {
  const { $client: pool } = drizzle(url)
  for (const given of [pool, {}, { client: undefined }]) {
    expect(() => drizzle(given as never)).toThrow('Invalid option connection: undefined. It takes a URL or options')
  }
  await pool.end()
})
