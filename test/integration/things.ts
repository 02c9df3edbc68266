import type { PostgresServer } from '../harness/index.ts'

/** A query that takes every column there is, so that a migration shows in it. */
export const BY_ID = 'select * from thing where id = $1'

/** The table of {@link BY_ID}, made anew: things 1 to 100. The plain role may use it, and migrations are the superuser's. */
export async function makeThings(server: PostgresServer): Promise<void> {
  await server.query('drop table if exists thing; create table thing (id int primary key, name text)')
  await server.query(
    `insert into thing select i, 'thing ' || i from generate_series(1, 100) i; grant all on thing to app`,
  )
}
