import { t } from '../../output/translate.ts'
import { describePlace } from '../../sum/describe-sum.ts'
import type { ConnectionSum, PoolerRow } from '../../sum/sum-connections.ts'
import { type Facts, poolerSettings, settingOf, usesTransactionPooler } from '../facts.ts'
import type { Finding, Rule } from '../rule.ts'
import { sumsOf } from '../sums.ts'

/** PgBouncer's default. */
const DEFAULT_CLIENTS = 100

export const clientsExceedPooler: Rule = {
  id: 'clients-exceed-pooler',
  title: 'All pools together may open more connections than PgBouncer accepts',
  severity: 'critical',
  check: (facts) => {
    const sums = sumsOf(facts).filter(({ isAssumed }) => !isAssumed || facts.judgesAssumptions)
    return sums.flatMap((sum) => [...sum.poolers.flatMap((pooler) => inFiles(sum, pooler)), ...running(facts, sum)])
  },
}

/** A pooler of the deployment files. */
function inFiles(sum: ConnectionSum, { name, settings, processes, clients }: PoolerRow): readonly Finding[] {
  const each = settingOf(settings, 'max_client_conn') ?? DEFAULT_CLIENTS
  const place = settings.places?.get('max_client_conn')
  return clients > each * processes ? [finding(sum, name, clients, { each, processes, place })] : []
}

/** The pooler behind the app's address, whose console shows its settings. */
function running(facts: Facts, sum: ConnectionSum): readonly Finding[] {
  const settings = facts.pooler && poolerSettings(facts)
  if (!settings || !usesTransactionPooler(facts) || sum.poolers.length > 0) return []
  const each = settingOf(settings, 'max_client_conn') ?? DEFAULT_CLIENTS
  const clients = sum.rows.reduce((total, { connections }) => total + connections, 0)
  return clients > each ? [finding(sum, settings.source, clients, { each, processes: 1, place: undefined })] : []
}

interface Limit {
  readonly each: number
  readonly processes: number
  readonly place: Finding['place']
}

function finding(sum: ConnectionSum, pooler: string, clients: number, { each, processes, place }: Limit): Finding {
  const rows = sum.rows.filter(({ through }) => through === pooler || sum.poolers.length === 0)
  const parts = rows.map(
    ({ workload, processes: count, connections }) =>
      t`${workload.name}: ${count} processes, ${connections} connections`,
  )
  const most =
    processes === 1 ? t`max_client_conn is ${each}` : t`max_client_conn is ${each} in each of ${processes} processes`
  const [largest] = rows.toSorted((a, b) => b.connections - a.connections).flatMap(({ pools }) => pools)
  const at = place ?? largest?.place
  return {
    evidence: t`${sum.deployment.name}: ${parts.join('; ')}; together ${clients} clients of ${pooler}, and ${most}${place ? ` (${describePlace(place)})` : ''}.`,
    why: t`It works until all pools are busy at the same time; then PgBouncer rejects clients with "no more connections allowed (max_client_conn)".`,
    change: t`Set max_client_conn to ${Math.ceil(clients / processes)} or more, and its limit of open files with it, or make the pools smaller: clients that wait in PgBouncer use no connection of the server.`,
    data: { deployment: sum.deployment.name, clients, maxClientConn: each, processes },
    ...(at && { place: at }),
  }
}
