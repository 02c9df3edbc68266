import pg from 'pg'
import type { LocalHolder } from '../database/find-local-processes.ts'
import type { ServerFacts } from '../database/server-facts.ts'
import { joinSentences, t } from '../output/translate.ts'
import type { Session } from '../sessions/session.ts'
import type { Step } from './rule.ts'
import { SAFE_PATH } from './safe-path.ts'

/** A longer list does not fit on a screen. */
const MAX_PIDS = 100

/** The states in which a session may be ended, because a session that works again is left alone. */
export type EndableState = 'idle' | 'idle in transaction' | 'any'

const CONDITIONS: Readonly<Record<EndableState, string>> = {
  idle: " and state = 'idle'",
  'idle in transaction': " and state like 'idle in transaction%'",
  any: '',
}

/**
 * SQL to paste: ends these sessions. A session that has got one of the pids since, or that works again, stays.
 *
 * @param readAtSeconds when the sessions were read, by the server's clock.
 */
function endSessions(sessions: readonly Session[], readAtSeconds: number, state: EndableState): string {
  const pids = sessions.map(({ pid }) => pid)
  const which = pids.length === 1 ? `pid = ${pids[0]}` : `pid in (${pids.join(', ')})`
  const before = `backend_start < to_timestamp(${Math.ceil(readAtSeconds)})`
  return `${SAFE_PATH} select pid, pg_terminate_backend(pid) from pg_stat_activity where ${which}${CONDITIONS[state]} and ${before};`
}

/** The step that ends sessions, those of the longest state first. Undefined if there are none. */
export function endStep(
  sessions: readonly Session[],
  server: Pick<ServerFacts, 'readAtSeconds' | 'superuser' | 'role'>,
  { state, what }: { readonly state: EndableState; readonly what: (count: number) => string },
): Step | undefined {
  const ended = sessions
    .filter(({ isProtected }) => !isProtected || server.superuser)
    .toSorted((a, b) => (b.stateSeconds ?? 0) - (a.stateSeconds ?? 0))
    .slice(0, MAX_PIDS)
  if (ended.length === 0) return undefined
  return {
    text: joinSentences(what(ended.length), neededRight(ended, server)),
    run: endSessions(ended, server.readAtSeconds, state),
  }
}

/** Who may end these sessions, unless it is the role that runs doctor. */
function neededRight(
  sessions: readonly Session[],
  { superuser, role }: Pick<ServerFacts, 'superuser' | 'role'>,
): string {
  const roles = [...new Set(sessions.map((session) => session.role))]
  if (superuser) return ''
  if (sessions.every((session) => session.role === role)) return t`Run it as ${role} or as a superuser:`
  return t`Run it as ${roles.join(', ')}, with pg_signal_backend, or as a superuser:`
}

/** SQL to paste: which processes hold connections. */
export const WHO_HOLDS: string = `${SAFE_PATH} select usename, application_name, client_addr, state, count(*), max(now() - state_change) as longest from pg_stat_activity where datname is not null group by 1, 2, 3, 4 order by 5 desc;`

/** The sessions that a limit counts. */
export interface Counted {
  readonly role?: string | undefined
  readonly database?: string | undefined
}

/** SQL to paste: ends idle sessions that doctor could not see. Pools reopen connections on demand. */
export function endIdle(of: Counted): string {
  return `${SAFE_PATH} select pid, pg_terminate_backend(pid) from pg_stat_activity where state like 'idle%' and state_change < now() - interval '1 minute'${conditionsOf(of)};`
}

/** SQL to paste: ends the idle sessions of a process of this machine, which its ports identify. */
export function endSessionsOf({ address, ports }: Pick<LocalHolder, 'address' | 'ports'>, of: Counted): string {
  return `${SAFE_PATH} select pid, pg_terminate_backend(pid) from pg_stat_activity where client_addr = ${pg.escapeLiteral(address)} and client_port in (${ports.slice(0, MAX_PIDS).join(', ')}) and state like 'idle%'${conditionsOf(of)};`
}

function conditionsOf({ role, database }: Counted): string {
  const ofRole = role === undefined ? '' : ` and usename = ${pg.escapeLiteral(role)}`
  const inDatabase = database === undefined ? '' : ` and datname = ${pg.escapeLiteral(database)}`
  return ofRole + inDatabase
}
