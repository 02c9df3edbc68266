import { clock } from '../output/clock.ts'
import { textWidth } from '../output/layout.ts'
import { paint } from '../output/paint.ts'
import { shareBar, shareColour } from '../output/share-bar.ts'
import { t } from '../output/translate.ts'
import type { ApplicationCount } from '../sessions/group-by-application.ts'
import type { Missed, Sample } from './sample.ts'
import type { Alert } from './watch.ts'
import type { PoolerMissed, PoolerPool, PoolerSample } from './watch-pooler.ts'

export type MonitorLine = Sample | Missed | Alert

/** `14:03:11  ` */
const INDENT = ' '.repeat(10)

/** One line of monitor for people; an alert has none, since it goes to standard error. */
export function describeLine(line: MonitorLine, width: number = textWidth()): string | undefined {
  if ('alert' in line) return undefined
  const time = clock(line.time)
  if ('error' in line) {
    const error = paint('red', line.full ? t`full: ${line.error}` : t`failed: ${line.error}`)
    return [`${time}  ${error}`, ...describePooler(line.pooler)].join('\n')
  }
  const { used, usable, applications, pooler } = line
  const share = usable > 0 ? used / usable : 1
  const counts = t`${String(used).padStart(4)} of ${usable}`
  const head = `${time}  ${counts}  ${paint(shareColour(share), shareBar(share))} ${String(Math.round(share * 100)).padStart(3)} %`
  const plain = `${time}  ${counts}  ${shareBar(share)} 100 %`
  const rest = describeApplications(applications, Math.max(20, width - plain.length - 2))
  return [rest ? `${head}  ${rest}` : head, ...describePooler(pooler)].join('\n')
}

/** As many applications as fit into the width, and how many do not. */
function describeApplications(applications: readonly ApplicationCount[], width: number): string {
  const texts = applications.map(({ application, role, connections, instances }) => {
    const name = application || t`(no name, role ${role})`
    return instances === undefined ? `${name} ${connections}` : t`${name} ${connections} in ${instances} instances`
  })
  for (let shown = texts.length; shown > 0; shown--) {
    const more = texts.length - shown
    const text = [...texts.slice(0, shown), ...(more > 0 ? [t`${more} more`] : [])].join(', ')
    if (text.length <= width) return text
  }
  return texts.length > 0 ? t`${texts.length} applications` : ''
}

function describePooler(pooler: PoolerSample | PoolerMissed | undefined): readonly string[] {
  if (!pooler) return []
  if ('error' in pooler) return [`${INDENT}${paint('red', t`PgBouncer: ${pooler.error}`)}`]
  return pooler.pools.map((pool) => `${INDENT}${describePool(pool)}`)
}

function describePool(pool: PoolerPool): string {
  const { database, user, clientsActive, clientsWaiting, maxWaitMillis, serversActive, serversIdle, poolSize } = pool
  const waiting = t`${clientsWaiting} waiting`
  const wait = clientsWaiting > 0 ? paint('red', t`${waiting} (${(maxWaitMillis / 1_000).toFixed(1)} s)`) : waiting
  const of = poolSize === null ? '' : t` of ${poolSize}`
  const paused = pool.paused ? `  ${paint('red', t`paused`)}` : ''
  return t`PgBouncer ${database}/${user}: clients ${clientsActive} active, ${wait}; servers ${serversActive} in use${of}, ${serversIdle} idle${paused}`
}
