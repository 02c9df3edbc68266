import { setTimeout as pause } from 'node:timers/promises'
import { readRows } from '@poolguard/core/postgres'
import type { Pool } from '../database/contact.ts'
import { signalSession } from '../database/signal-session.ts'
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
    const isSignalled = await signalSession(pool, 'terminate', { ...session, changedAt: unchanged })
    return { ...candidate, ending: isSignalled ? 'ended' : 'changed' }
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
