import { setTimeout as pause } from 'node:timers/promises'
import { GuardedPool } from '@poolguard/pg'
import pg from 'pg'
import { startPostgres } from '../harness/index.ts'

const CALLERS = 200
const FULL_MILLIS = 3_000

/** How often each tries to connect while 200 callers want something of a server that is full. */
export async function countStormConnects(): Promise<{ storm_connects: number; storm_connects_pg_pool: number }> {
  await using server = await startPostgres()
  await server.query('alter role app connection limit 0')
  let attempts = 0
  const guarded = new GuardedPool({
    url: server.url,
    onEvent: ({ type }) => {
      if (type === 'connect-failed') attempts++
    },
  })
  await storm(guarded)
  const storm_connects = attempts
  await guarded.end()

  attempts = 0
  class CountingClient extends pg.Client {
    override connect(...args: unknown[]): never {
      attempts++
      return (super.connect as (...args: unknown[]) => never).apply(this, args)
    }
  }
  const plain = new pg.Pool({ connectionString: server.url, Client: CountingClient })
  await storm(plain)
  const storm_connects_pg_pool = attempts
  await plain.end()
  return { storm_connects, storm_connects_pg_pool }
}

async function storm(pool: pg.Pool): Promise<void> {
  for (let i = 0; i < CALLERS; i++) pool.query('select 1').catch(() => {})
  await pause(FULL_MILLIS)
}
