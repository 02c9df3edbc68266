import * as orm from 'drizzle-orm'
import { expect, test } from 'vitest'
import { startPostgres } from '../harness/index.ts'
import { makeAccounts } from './accounts.ts'
import { account, drivers } from './drizzle-drivers.ts'

/** Drizzle from 1.0 on, where relational queries come from the relations. What is checked of its types is in the package. */
test('given relations, then relational queries work', async () => {
  await using server = await startPostgres()
  await makeAccounts(server)
  const { defineRelations } = orm as unknown as { defineRelations(tables: object): never }
  const relations = defineRelations({ account })
  for (const { drizzle } of drivers) {
    const db = drizzle({ connection: { url: server.url }, relations } as never) as unknown as RelationalDatabase
    expect(await db.query.account.findFirst({ where: { id: 1 } })).toEqual({ id: 1, owner: 'owner 1', balance: 100 })
    await db.$client.end()
  }
})

interface RelationalDatabase {
  readonly $client: { end(): Promise<void> }
  readonly query: { account: { findFirst(query: object): Promise<unknown> } }
}
