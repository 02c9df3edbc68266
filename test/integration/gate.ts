import pg from 'pg'
import { onTestFinished } from 'vitest'
import type { PostgresServer } from '../harness/index.ts'

/** A query that is answered when the {@link Gate} opens, and not before. */
export const AT_THE_GATE = 'select pg_advisory_xact_lock_shared(7), 1 as one'

/** Blocks every session that runs {@link AT_THE_GATE}. */
export interface Gate {
  open(): Promise<unknown>
}

export async function closeGate(server: PostgresServer): Promise<Gate> {
  const client = new pg.Client({ connectionString: server.adminUrl })
  await client.connect()
  onTestFinished(() => client.end())
  await client.query('select pg_advisory_lock(7)')
  return { open: () => client.end() }
}
