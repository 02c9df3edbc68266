import { t } from '../../output/translate.ts'
import { describeHolders, freeServers, holdersAsData } from '../pooler/free-servers.ts'
import { poolStates } from '../pooler/pool-state.ts'
import type { Rule } from '../rule.ts'

export const poolerDatabaseLimit: Rule = {
  id: 'pooler-database-limit',
  title: 'PgBouncer has reached max_db_connections, and clients wait',
  severity: 'critical',
  check: ({ pooler }) => {
    if (!pooler) return []
    const states = poolStates(pooler)
    return pooler.databases.flatMap(({ name, maxConnections, currentConnections }) => {
      const pools = states.filter(({ pool }) => pool.database === name)
      const waiting = pools.filter(({ pool }) => pool.clientsWaiting > 0)
      const [first] = waiting
      if (maxConnections === 0 || currentConnections < maxConnections || !first) return []
      const holders = pools.flatMap((each) => each.holders)
      const spread = pools.map(({ pool, servers }) => `${pool.user} ${servers}`).join(', ')
      return [
        {
          evidence: t`${name} has ${currentConnections} of ${maxConnections} server connections (max_db_connections) in its pools: ${spread}. Clients of ${waiting.map(({ pool }) => pool.user).join(', ')} wait.${describeHolders(holders)}`,
          why: t`All pools of this database share this limit: a pool below its own pool_size gets no server connection while others keep theirs.`,
          now: freeServers({ ...first, holders }, pooler.version),
          change: t`Raise max_db_connections as far as max_connections of PostgreSQL allows, and RELOAD; or lower default_pool_size, so that the pools together stay below it. Idle server connections of a pool close after server_idle_timeout (600 s): lower it if users take turns.`,
          data: { database: name, used: currentConnections, limit: maxConnections, holders: holdersAsData(holders) },
        },
      ]
    })
  },
}
