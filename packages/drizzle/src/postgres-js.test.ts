import * as drizzles from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { expect, test } from 'vitest'
import * as entry from './postgres-js.ts'
import { drizzle } from './postgres-js.ts'

const url = 'postgresql://app:secret@localhost/orders'

test("given the app's own sql, then every form uses it unchanged", async () => {
  const guarded = drizzle(url).$client
  for (const client of [postgres(url), guarded]) {
    expect(drizzle(client).$client).toBe(client)
    expect(drizzle(client, { logger: false }).$client).toBe(client)
    expect(drizzle({ client }).$client).toBe(client)
  }
  await guarded.end()
})

test("the entry exports everything that Drizzle's entry exports", () => {
  expect(Object.keys(entry)).toEqual(expect.arrayContaining(Object.keys(drizzles)))
  expect(() => drizzle.mock()).not.toThrow()
})
