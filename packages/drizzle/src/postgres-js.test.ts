import * as drizzles from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { expect, test } from 'vitest'
import * as entry from './postgres-js.ts'
import { drizzle } from './postgres-js.ts'

const url = 'postgresql://app:secret@localhost/orders'

test("given a sql of the app's own, then it is used as it is, in each form", async () => {
  const guarded = drizzle(url).$client
  for (const client of [postgres(url), guarded]) {
    expect(drizzle(client).$client).toBe(client)
    expect(drizzle(client, { logger: false }).$client).toBe(client)
    expect(drizzle({ client }).$client).toBe(client)
  }
  await guarded.end()
})

test("what Drizzle's own entry exports is there, too", () => {
  expect(Object.keys(entry)).toEqual(expect.arrayContaining(Object.keys(drizzles)))
  expect(() => drizzle.mock()).not.toThrow()
})
