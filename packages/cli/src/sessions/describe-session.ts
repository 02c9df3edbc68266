import { describeSeconds } from '../output/describe-seconds.ts'
import { t } from '../output/translate.ts'
import { clientOf } from './client-process.ts'
import type { Session } from './session.ts'

/**
 * A session in one line: its pid, what it does, for how long, and its query.
 *
 * @example
 *   pid 1234 (10.0.0.5:41002, connected for 3 min): idle in transaction for 74 s; last query: update accounts set ...
 */
export function describeSession(session: Session): string {
  const { pid, state, stateSeconds, ageSeconds, waitEvent, query } = session
  const { address, port } = clientOf(session)
  const client = address === null ? '' : `${address}:${port}`
  const age = ageSeconds === null ? '' : t`connected for ${describeSeconds(ageSeconds)}`
  const about = [client, age].filter(Boolean).join(', ')
  const doing = describeState(state, stateSeconds, waitEvent)
  return `pid ${pid}${about && ` (${about})`}: ${doing}${query === null ? '' : describeQuery(state, query)}`
}

function describeState(state: string | null, seconds: number | null, waitEvent: string | null): string {
  if (state === null) return t`its state needs pg_read_all_stats`
  const since = seconds === null ? state : t`${state} for ${describeSeconds(seconds)}`
  return state === 'active' && waitEvent ? t`${since}, waits (${waitEvent})` : since
}

function describeQuery(state: string | null, query: string): string {
  return state === 'active' ? t`; query: ${query}` : t`; last query: ${query}`
}

/** The longest of some durations, for people. */
export function longest(seconds: readonly (number | null)[]): string {
  return describeSeconds(Math.max(0, ...seconds.map((each) => each ?? 0)))
}

/** The same session for programs. */
export function sessionData(session: Session): Readonly<Record<string, unknown>> {
  const { pid, role, database, state, query, waitEvent } = session
  const { ageSeconds, transactionSeconds, stateSeconds, localProcess } = session
  return {
    ...{ pid, ...clientOf(session), role, database, state, ageSeconds, transactionSeconds, stateSeconds, waitEvent },
    ...(localProcess && { process: localProcess }),
    ...(query !== null && { query }),
  }
}
