import { drizzle } from '@poolguard/drizzle/node-postgres'
import { drizzle as onPostgresJs } from '@poolguard/drizzle/postgres-js'
import type { GuardedPool } from '@poolguard/pg'
import type { GuardedSql } from '@poolguard/postgres-js'
import { eq } from 'drizzle-orm'
import { expect, expectTypeOf, test } from 'vitest'
import { startPostgres } from '../harness/index.ts'
import { makeAccounts } from './accounts.ts'
import { account } from './drizzle-drivers.ts'

/** Drizzle up to 0.45, where relational queries come from the schema. */
test('given a schema, then relational queries have their full types', async () => {
  await using server = await startPostgres()
  await makeAccounts(server)
  const db = drizzle(server.url, { schema: { account } })
  expectTypeOf(db.$client).toEqualTypeOf<GuardedPool>()
  const found = await db.query.account.findFirst({ where: eq(account.id, 1) })
  expectTypeOf(found).toEqualTypeOf<{ id: number; owner: string; balance: number } | undefined>()
  expect(found).toEqual({ id: 1, owner: 'owner 1', balance: 100 })
  await db.$client.end()

  const other = onPostgresJs({ connection: { url: server.url, max: 1 }, schema: { account }, logger: false })
  expectTypeOf(other.$client).toEqualTypeOf<GuardedSql>()
  const row = await other.query.account.findFirst({ where: eq(account.id, 2) })
  expectTypeOf(row).toEqualTypeOf<{ id: number; owner: string; balance: number } | undefined>()
  expect(row).toEqual({ id: 2, owner: 'owner 2', balance: 100 })
  await other.$client.end()
})
