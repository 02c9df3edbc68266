import { t } from '../../output/translate.ts'
import { describeHolders, freeServers, holdersAsData } from '../pooler/free-servers.ts'
import { type PoolState, poolStates } from '../pooler/pool-state.ts'
import type { Rule } from '../rule.ts'

export const poolerPoolFull: Rule = {
  id: 'pooler-pool-full',
  title: 'A pool of PgBouncer has no free server connection, and clients wait',
  severity: 'critical',
  check: ({ pooler }) => {
    if (!pooler) return []
    return poolStates(pooler)
      .filter(({ isFull }) => isFull)
      .map((state) => {
        const { pool, waiting, holders } = state
        const { database, user, serversActive, poolMode } = pool
        const maxWaitSeconds = Math.round(pool.maxWaitMillis / 1_000)
        return {
          evidence: t`Pool ${database}/${user}: all ${serversActive} server connections are in use, ${waiting} clients wait, the longest for ${maxWaitSeconds} s (SHOW POOLS).${describeHolders(holders)}`,
          why: t`Every further query of this pool waits until a client finishes, and fails after query_wait_timeout (120 s by default).`,
          now: freeServers(state, pooler.version),
          change: changeOf(state, poolMode),
          data: {
            ...{ database, user, poolMode, poolSize: state.database?.poolSize, serversActive, waiting, maxWaitSeconds },
            holders: holdersAsData(holders),
          },
        }
      })
  },
}

function changeOf({ database }: PoolState, poolMode: string): string {
  if (poolMode === 'session') {
    return t`In session mode each client keeps its server connection until it disconnects: set pool_mode = transaction and RELOAD, or make the pools of the apps smaller than pool_size (${database?.poolSize}) together. It reaches new connections only.`
  }
  return t`Keep transactions short: no calls to other services inside of them. Set idle_transaction_timeout = 60 in pgbouncer.ini and RELOAD: PgBouncer then ends idle transactions, also those that are open now. If the sessions really work and PostgreSQL has room (run poolguard plan with --pooler-url), raise default_pool_size.`
}
