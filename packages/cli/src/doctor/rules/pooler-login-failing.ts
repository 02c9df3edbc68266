import { shellWord } from '../../output/shell-word.ts'
import { t } from '../../output/translate.ts'
import type { Facts } from '../facts.ts'
import { type PoolState, poolStates } from '../pooler/pool-state.ts'
import type { Rule } from '../rule.ts'

/** A login takes less. */
const LONG_LOGIN_MILLIS = 1_000

export const poolerLoginFailing: Rule = {
  id: 'pooler-login-failing',
  title: 'PgBouncer cannot log in to PostgreSQL',
  severity: 'critical',
  check: (facts) => {
    const { pooler } = facts
    if (!pooler) return []
    return poolStates(pooler)
      .filter((state) => hasNoServer(state) && isLasting(facts, state))
      .map(({ pool: { database, user, clientsWaiting, serversLogin }, database: entry }) => {
        const place = entry?.host ? `${entry.host}:${entry.port}` : t`the server`
        const cause = facts.unreached?.help?.cause === 'pooler-login' ? ` ${facts.unreached.message}.` : ''
        return {
          evidence: t`Pool ${database}/${user}: ${clientsWaiting} clients wait, and PgBouncer has no connection to ${place} (${serversLogin} are logging in).${cause}`,
          why: t`PgBouncer's own login fails: the server is down or unreachable from PgBouncer, it is full, or the password in auth_file is not the current one. PgBouncer tries again only every server_login_retry (15 s).`,
          now: [
            {
              text: t`From PgBouncer's machine, log in as PgBouncer does, to see the error (its log has it, too):`,
              run: `psql -h ${shellWord(entry?.host ?? 'localhost')} -p ${entry?.port ?? 5432} -U ${shellWord(user)} -d ${shellWord(entry?.database ?? database)} -c 'select 1'`,
            },
            {
              text: t`When the cause is gone, on PgBouncer's console, as a user in admin_users: retry now (RELOAD restores the setting; RECONNECT does not retry).`,
              run: 'SET server_login_retry = 1;',
            },
          ],
          change: t`After a password rotation, update auth_file (or use auth_query) and RELOAD. Check host and port of the database in [databases]. Free connections if the server is full.`,
          data: { database, user, waiting: clientsWaiting, serversLogin, host: entry?.host, port: entry?.port },
        }
      })
  },
}

function hasNoServer({ pool, servers, database }: PoolState): boolean {
  return (
    pool.clientsWaiting > 0 &&
    servers === 0 &&
    database?.paused !== true &&
    database?.disabled !== true &&
    !isAtLimit(database)
  )
}

/** Other pools may have used up the limit of the database: pooler-database-limit reports that. */
function isAtLimit(database: PoolState['database']): boolean {
  return database !== undefined && database.maxConnections > 0 && database.currentConnections >= database.maxConnections
}

/** The first client of a pool waits for its login, too, for a moment; so do clients of poolguard that have left meanwhile. */
function isLasting({ unreached }: Facts, { pool, waiting }: PoolState): boolean {
  return unreached !== undefined || (waiting > 0 && pool.maxWaitMillis >= LONG_LOGIN_MILLIS)
}
