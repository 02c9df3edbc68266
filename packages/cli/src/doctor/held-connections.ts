import pg from 'pg'
import { SAFE_PATH } from './safe-path.ts'

/** SQL to paste: which roles and applications hold connections. */
export const WHO_HOLDS: string = `${SAFE_PATH} select usename, application_name, state, count(*), max(now() - state_change) as longest from pg_stat_activity where datname is not null group by 1, 2, 3 order by 4 desc;`

/** SQL to paste: closes a role's idle sessions. Pools reopen connections on demand. */
export function endIdle(role: string | undefined): string {
  const own = role === undefined ? '' : ` and usename = ${pg.escapeLiteral(role)}`
  return `${SAFE_PATH} select pg_terminate_backend(pid) from pg_stat_activity where state = 'idle' and state_change < now() - interval '5 minutes'${own};`
}
