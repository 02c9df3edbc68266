import type { PostgresServer } from '../harness/index.ts'

/** The table that the ORM tests use, owned by the plain role: accounts 1 to 10 with 100 each. */
export async function makeAccounts(server: PostgresServer): Promise<void> {
  await server.query('create table account (id int primary key, owner text not null, balance int not null)')
  await server.query('alter table account owner to app')
  await server.query(`insert into account select id, 'owner ' || id, 100 from generate_series(1, 10) id`)
}
