import { t } from '../../output/translate.ts'
import { usefulConnections } from '../../plan/useful-connections.ts'
import { changesThatFit } from '../../sum/change-that-fits.ts'
import { limitToUse } from '../../sum/connection-limit.ts'
import { describeChange, describeSum } from '../../sum/describe-sum.ts'
import type { ConnectionSum } from '../../sum/sum-connections.ts'
import type { Finding, Rule } from '../rule.ts'
import { sumsOf } from '../sums.ts'

/** Up to this many times as many connections as the server can keep busy cost little, as far as statements do not wait for each other. */
const TOLERATED = 4

export const poolsExceedCores: Rule = {
  id: 'pools-exceed-cores',
  title: 'All pools together may use many more connections than the server can keep busy',
  severity: 'warning',
  check: (facts) => {
    const { cores } = facts
    if (cores === undefined) return []
    const useful = usefulConnections(cores)
    return sumsOf(facts)
      .filter(({ isAssumed, total }) => !isAssumed && total > useful * TOLERATED)
      .map((sum) => exceeds(sum, cores, useful))
  },
}

function exceeds(sum: ConnectionSum, cores: number, useful: number): Finding {
  const changes = changesThatFit(sum, limitToUse(useful))
  const pooler = t`Let PgBouncer in transaction mode divide ${useful} connections (\`poolguard generate pgbouncer\`).`
  const place = changes.find((change) => change.place)?.place
  return {
    evidence: t`${describeSum(sum)}, and a server with ${cores} cores keeps about 2 x ${cores} + 1 = ${useful} busy.`,
    why: t`Under load, more statements run at once than the server has cores for: all become slower, and those that update the same rows wait for each other. Callers that wait for a connection instead hold no locks.`,
    change:
      changes.length === 0
        ? pooler
        : t`Set ${changes.map(describeChange).join(t`, and `)}. Or let poolguard divide them: { fleet: { app: 'orders' }, pool: { limit: 'cores', serverCores: ${cores} } }. If the statements mostly wait for slow disks, more connections are right: measure.`,
    data: {
      ...{ deployment: sum.deployment.name, connections: sum.total, cores, useful },
      changes: changes.map(({ what, from, to, place: at }) => ({ what, from, to, ...at })),
    },
    ...(place && { place }),
  }
}
