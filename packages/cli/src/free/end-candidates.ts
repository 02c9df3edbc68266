import { setTimeout as pause } from 'node:timers/promises'
import { readRows } from '@poolguard/core/postgres'
import type { Pool } from '../database/contact.ts'
import { messageOf } from '../output/message-of.ts'
import type { Candidate } from './candidates.ts'

/** What became of a session. */
export type Ending = 'ended' | 'still ending' | 'changed' | 'failed'

export interface EndedSession extends Candidate {
  readonly ending: Ending
  /** Why the server refused. */
  readonly error?: string
}

/** A session that holds on to a syscall may take longer. */
const WAIT_MILLIS = 5_000
const POLL_MILLIS = 50

/** A session that works again since it was listed stays, and so does a later session with the same pid. */
const END_QUERY = `
select pg_catalog.pg_terminate_backend(pid) as "signalled"
  from pg_catalog.pg_stat_activity
 where pid operator(pg_catalog.=) $1::pg_catalog.int4
   and extract(epoch from backend_start)::pg_catalog.text operator(pg_catalog.=) $2::pg_catalog.text
   and ($3::pg_catalog.text is null or extract(epoch from state_change)::pg_catalog.text operator(pg_catalog.=) $3::pg_catalog.text)`

const LEFT_QUERY = `
select pid as "pid", coalesce(extract(epoch from backend_start)::pg_catalog.text, '') as "startedAt"
  from pg_catalog.pg_stat_activity
 where pid operator(pg_catalog.=) any ($1::pg_catalog.int4[])`

/** Ends the sessions, and waits until the server has closed them. */
export async function endCandidates(pool: Pool, candidates: readonly Candidate[]): Promise<readonly EndedSession[]> {
  const results: EndedSession[] = []
  for (const candidate of candidates) results.push(await end(pool, candidate))
  const signalled = results.filter(({ ending }) => ending === 'ended')
  const left = await remaining(pool, signalled)
  return results.map((each) => (left.has(each.session.pid) ? { ...each, ending: 'still ending' } : each))
}

async function end(pool: Pool, candidate: Candidate): Promise<EndedSession> {
  const { session, reason } = candidate
  const unchanged = reason === 'blocks others' ? null : session.changedAt
  try {
    const { rows } = await pool.query(END_QUERY, [session.pid, session.startedAt, unchanged])
    const [signalled] = readRows('the query that ends a session', rows, (row) => row.flag('signalled'))
    return { ...candidate, ending: signalled === true ? 'ended' : 'changed' }
  } catch (error) {
    return { ...candidate, ending: 'failed', error: messageOf(error) }
  }
}

/** The pids of sessions that the server has not closed in time. */
async function remaining(pool: Pool, ended: readonly EndedSession[]): Promise<ReadonlySet<number>> {
  const startOf = new Map(ended.map(({ session }) => [session.pid, session.startedAt]))
  const deadline = performance.now() + WAIT_MILLIS
  for (;;) {
    const { rows } = startOf.size > 0 ? await pool.query(LEFT_QUERY, [[...startOf.keys()]]) : { rows: [] }
    const present = readRows(
      'the query for sessions that are left',
      rows,
      (row) => [row.integer('pid'), row.text('startedAt')] as const,
    )
    const left = present.filter(([pid, startedAt]) => startOf.get(pid) === startedAt).map(([pid]) => pid)
    if (left.length === 0 || performance.now() > deadline) return new Set(left)
    await pause(POLL_MILLIS)
  }
}
