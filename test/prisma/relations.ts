import type { PostgresServer } from '../harness/index.ts'

/** The tables that `account` has relations with in the Prisma schema. */
export const RELATED = ['orders', 'note', 'card', 'invoice'] as const

/** One row in each for each account; see makeAccounts. */
export async function makeRelations(server: PostgresServer): Promise<void> {
  for (const table of RELATED) {
    await server.query(`create table ${table} (id int primary key, "accountId" int not null references account)`)
    await server.query(`alter table ${table} owner to app`)
    await server.query(`insert into ${table} select id, id from generate_series(1, 10) id`)
  }
}
