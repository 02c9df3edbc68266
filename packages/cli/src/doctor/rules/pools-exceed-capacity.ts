import { t } from '../../output/translate.ts'
import { changesThatFit, type FittingChange, instancesThatFit } from '../../sum/change-that-fits.ts'
import type { ConnectionLimit } from '../../sum/connection-limit.ts'
import { describeChange, describeLimit, describeSum } from '../../sum/describe-sum.ts'
import type { ConnectionSum } from '../../sum/sum-connections.ts'
import { usesTransactionPooler } from '../facts.ts'
import type { Finding, Rule } from '../rule.ts'
import { limitFor, sumsOf } from '../sums.ts'

export const poolsExceedCapacity: Rule = {
  id: 'pools-exceed-capacity',
  title: 'All pools together may open more connections than the server allows',
  severity: 'critical',
  check: (facts) => {
    // Without an address, the sum counts the project's pooler.
    if ((facts.server || facts.target) && usesTransactionPooler(facts)) return []
    const sums = sumsOf(facts).filter(({ isAssumed }) => !isAssumed || facts.judgesAssumptions)
    return sums.flatMap((sum) => {
      const limit = limitFor(facts, sum)
      return limit && sum.total > limit.usable ? [exceeds(sum, limit)] : []
    })
  },
}

function exceeds(sum: ConnectionSum, limit: ConnectionLimit): Finding {
  const changes = changesThatFit(sum, limit)
  const instances = instancesThatFit(sum, limit)
  const place = [...changes, ...instances].find((change) => change.place)?.place
  return {
    evidence: t`${describeSum(sum)}, and ${describeLimit(limit)}.`,
    why: t`It works until all pools are busy at the same time; then the server rejects connections with "too many clients already".`,
    change: describeChanges(sum, changes, instances, limit),
    data: {
      deployment: sum.deployment.name,
      connections: sum.total,
      maxConnections: limit.maxConnections,
      usable: limit.usable,
      workloads: sum.rows.map(({ workload, processes, connections, through }) => ({
        ...{ name: workload.name, kind: workload.kind, processes, connections },
        ...(through !== undefined && { through }),
      })),
      changes: changes.map(({ what, from, to, place: at }) => ({ what, from, to, ...at })),
    },
    ...(place && { place }),
  }
}

function describeChanges(
  { total }: ConnectionSum,
  changes: readonly FittingChange[],
  instances: readonly FittingChange[],
  { reserved, others }: ConnectionLimit,
): string {
  const alternatives = [
    ...instances.map((change) => t`set ${describeChange(change)}`),
    t`set max_connections to ${total + reserved + others}`,
    t`put PgBouncer in front (\`poolguard generate pgbouncer\`)`,
  ].join(t`, or `)
  if (changes.length === 0) {
    return t`Even one connection for each pool is too much: ${alternatives}.`
  }
  return t`Set ${changes.map(describeChange).join(t`, and `)}. Or ${alternatives}.`
}
