import { t } from '../output/translate.ts'
import type { Place } from '../project/workload.ts'
import type { FittingChange } from './change-that-fits.ts'
import type { ConnectionLimit } from './connection-limit.ts'
import type { PoolUse } from './pool-use.ts'
import type { ConnectionSum, SumRow } from './sum-connections.ts'

/** `src/db.ts:4` */
export function describePlace({ file, line }: Place): string {
  return line === undefined ? file : `${file}:${line}`
}

/** `max 10 (src/db.ts:4)`, or `pg-boss max 10 (the default, src/jobs.ts:8)`. */
export function describePool(use: PoolUse, withLibrary: boolean): string {
  const { library, max, pools, place, setBy, isAssumed, isGuarded } = use
  const source = [
    ...(setBy.startsWith('the default') ? [t`the default`] : setBy === 'max' ? [] : [setBy]),
    ...(isAssumed ? [t`assumed`] : []),
    describePlace(place),
  ]
  const size = isGuarded ? t`at least 1, shared by poolguard` : `max ${max}`
  return `${withLibrary ? `${library} ` : ''}${pools > 1 ? `${pools} x ` : ''}${size} (${source.join(', ')})`
}

/** All pools of one process: `max 10 (src/db.ts:4)`, or `(pg max 10 (...) + pg-boss max 10 (...))`. */
function describePools(pools: readonly PoolUse[]): string {
  const [only] = pools
  if (pools.length === 1 && only) return describePool(only, false)
  return `(${pools.map((use) => describePool(use, true)).join(' + ')})`
}

/** The arithmetic, a part for each group of workloads with the same pools. */
export function describeSum({ deployment, rows, poolers, total }: ConnectionSum): string {
  const groups = Map.groupBy(
    rows.filter(({ through }) => through === undefined),
    ({ pools }) => describePools(pools),
  )
  const isSame = groups.size + poolers.length === 1
  const parts = [...groups].map(([pools, members]) => describeGroup(deployment.name, members, pools))
  const pooled = poolers.map(({ name, processes, connections, settings }) =>
    processes > 1
      ? t`${name}: ${processes} processes with ${connections} connections to the server (${settings.source})`
      : t`${name}: ${connections} connections to the server (${settings.source})`,
  )
  return [...parts, ...pooled].join('; ') + (isSame ? '' : t`; together ${total}`)
}

function describeGroup(name: string, rows: readonly SumRow[], pools: string): string {
  const processes = rows.reduce((sum, row) => sum + row.processes, 0)
  const connections = rows.reduce((sum, row) => sum + row.connections, 0)
  const isSurging = rows.some(({ workload }) => workload.surge.value > 0)
  const members = rows.map(({ workload }) => `${workload.name} x ${amount(workload)}`).join(', ')
  // Instances from the command line are the name already.
  const source = rows.every(({ workload }) => workload.instances.most.why === '--instances')
    ? name
    : `${name} (${members})`
  return isSurging
    ? t`${source}: ${processes} at once during a deploy x ${pools} = ${connections}`
    : t`${source}: ${processes} at once x ${pools} = ${connections}`
}

function amount({ instances, processes }: SumRow['workload']): string {
  return processes.value > 1 ? t`${instances.most.value} x ${processes.value} processes` : String(instances.most.value)
}

/** `max_connections is 100`, with what is not usable of it. */
export function describeLimit({
  maxConnections,
  reserved,
  others,
  usable,
  source,
  place,
  isDefault,
}: ConnectionLimit): string {
  const less = [
    ...(reserved > 0 ? [t`${reserved} reserved`] : []),
    ...(others > 0 ? [t`${others} of other applications or beyond the role's limit`] : []),
  ]
  const where = place
    ? ` (${isDefault ? t`the default, ${describePlace(place)}` : describePlace(place)})`
    : source === 'the server'
      ? ''
      : ` (${source})`
  return less.length === 0
    ? t`max_connections is ${maxConnections}${where}`
    : t`max_connections is ${maxConnections}${where} - ${less.join(' - ')} = ${usable}`
}

/** `max to 4 in src/db.ts:4 (now 10)` */
export function describeChange({ what, from, to, place }: FittingChange): string {
  return place ? t`${what} to ${to} in ${describePlace(place)} (now ${from})` : t`${what} to ${to} (now ${from})`
}
