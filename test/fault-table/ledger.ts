import type { PostgresServer } from '../harness/index.ts'

/** The table that the apps write to. */
export const CREATE_LEDGER = 'create table ledger (id bigint not null, part text not null)'

/** The harness's servers do without durability: a crash must not lose what was committed. */
export const DURABLE = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' } as const

/** The rows of each write, by its id. */
export async function readLedger(server: Pick<PostgresServer, 'query'>): Promise<Map<number, number>> {
  const rows = await server.query<{ id: string; count: number }>(
    'select id, count(*)::int as count from ledger group by id',
  )
  return new Map(rows.map(({ id, count }) => [Number(id), count]))
}
