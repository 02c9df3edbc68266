import { t } from '../../output/translate.ts'
import { type Facts, poolerSettings, settingOf } from '../facts.ts'
import { describeHolders, freeServers, holdersAsData } from '../pooler/free-servers.ts'
import { poolStates } from '../pooler/pool-state.ts'
import type { Rule } from '../rule.ts'

export const poolerUserLimit: Rule = {
  id: 'pooler-user-limit',
  title: 'PgBouncer has reached max_user_connections, and clients wait',
  severity: 'critical',
  check: (facts) => {
    const { pooler } = facts
    if (!pooler) return []
    const states = poolStates(pooler)
    const users = [...new Set(states.map(({ pool }) => pool.user))]
    return users.flatMap((user) => {
      const pools = states.filter(({ pool }) => pool.user === user)
      const [first] = pools.filter(({ pool }) => pool.clientsWaiting > 0)
      const limit = limitOf(facts, user)
      const used = pools.reduce((sum, { servers }) => sum + servers, 0)
      if (limit === 0 || used < limit || !first) return []
      const holders = pools.flatMap((each) => each.holders)
      return [
        {
          evidence: t`${user} has ${used} of ${limit} server connections (max_user_connections) in ${pools.length} pools, and its clients wait.${describeHolders(holders)}`,
          why: t`All pools of this user share this limit: a pool below its own pool_size gets no server connection while others keep theirs.`,
          now: freeServers({ ...first, holders }, pooler.version),
          change: t`Raise max_user_connections, for this user in [users] or for all users, as far as max_connections of PostgreSQL allows, and RELOAD; or lower default_pool_size.`,
          data: { user, used, limit, holders: holdersAsData(holders) },
        },
      ]
    })
  },
}

/** The user's own limit, or the one for all users; 0 means none. */
function limitOf(facts: Facts, user: string): number {
  const own = facts.pooler?.users.find(({ name }) => name === user)?.maxConnections ?? 0
  const settings = poolerSettings(facts)
  return own || ((settings && settingOf(settings, 'max_user_connections')) ?? 0)
}
