import { t } from '../../output/translate.ts'
import { poolStates } from '../pooler/pool-state.ts'
import type { Rule } from '../rule.ts'

/** Shorter waits are normal at peak load. */
const LONG_WAIT_MILLIS = 1_000

export const poolerClientsWait: Rule = {
  id: 'pooler-clients-wait',
  title: 'Clients of PgBouncer wait long for a server connection',
  severity: 'warning',
  check: (facts) => {
    const { pooler } = facts
    if (!pooler) return []
    return poolStates(pooler)
      .filter(({ pool, isFull, servers, database }) => {
        // Other rules say why these wait.
        const isExplained = isFull || servers === 0 || database?.paused === true || database?.disabled === true
        return pool.clientsWaiting > 0 && pool.maxWaitMillis >= LONG_WAIT_MILLIS && !isExplained
      })
      .map(({ pool, servers, waiting, database }) => {
        const maxWaitSeconds = Math.round(pool.maxWaitMillis / 1_000)
        const name = `${pool.database}/${pool.user}`
        return {
          evidence: t`Pool ${name}: ${waiting} clients wait, the longest for ${maxWaitSeconds} s, with ${servers} of ${database?.poolSize ?? '?'} server connections open, ${pool.serversLogin} logging in (SHOW POOLS).`,
          why: t`Their requests take at least that much longer. PgBouncer opens one server connection after the other: a slow login, max_db_connections or max_user_connections keeps the pool from growing.`,
          change: t`Set min_pool_size, so that connections are open before the peak, and check how long a login takes (TLS, LDAP and PAM are slow). Then compare default_pool_size with max_db_connections and max_user_connections.`,
          data: { database: pool.database, user: pool.user, waiting, maxWaitSeconds, servers },
        }
      })
  },
}
