import { readRows } from '@poolguard/core/postgres'
import type { Session } from '../sessions/session.ts'
import type { Pool } from './contact.ts'

/** Cancel ends the running statement, terminate ends the session. */
export type SessionSignal = 'cancel' | 'terminate'

/** See https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-SIGNAL */
const FUNCTIONS: Readonly<Record<SessionSignal, string>> = {
  cancel: 'pg_cancel_backend',
  terminate: 'pg_terminate_backend',
}

/** The session as it was listed; `changedAt` is null if it may have worked since. */
export type SignalTarget = Pick<Session, 'pid' | 'startedAt' | 'changedAt'>

/** A session that has worked since it was listed stays, and so does a later session with the same pid. */
function signalQuery(signal: SessionSignal): string {
  return `
select pg_catalog.${FUNCTIONS[signal]}(pid) as "signalled"
  from pg_catalog.pg_stat_activity
 where pid operator(pg_catalog.=) $1::pg_catalog.int4
   and extract(epoch from backend_start)::pg_catalog.text operator(pg_catalog.=) $2::pg_catalog.text
   and ($3::pg_catalog.text is null or extract(epoch from state_change)::pg_catalog.text operator(pg_catalog.=) $3::pg_catalog.text)`
}

/**
 * Signals a session. False if it has ended or changed since it was listed.
 *
 * @throws the server's error, which is 42501 if the role may not.
 */
export async function signalSession(pool: Pool, signal: SessionSignal, target: SignalTarget): Promise<boolean> {
  const { rows } = await pool.query(signalQuery(signal), [target.pid, target.startedAt, target.changedAt])
  const [signalled] = readRows('the query that signals a session', rows, (row) => row.flag('signalled'))
  return signalled === true
}
