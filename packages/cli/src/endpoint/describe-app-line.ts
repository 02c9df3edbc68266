import type { Alert } from '../monitor/watch.ts'
import { clock } from '../output/clock.ts'
import { paint } from '../output/paint.ts'
import { t } from '../output/translate.ts'
import type { AppMissed, AppPool, AppSample } from './read-pool-stats.ts'

const COLOURS = { healthy: 'green', warning: 'yellow', critical: 'red' } as const

/** One line for each pool of a sample, for people; an alert has none, since it goes to standard error. */
export function describeAppLine(line: AppSample | AppMissed | Alert): string | undefined {
  if ('alert' in line) return undefined
  const time = clock(line.time)
  if ('error' in line) return `${time}  ${paint('red', t`failed: ${line.error}`)}`
  if (line.pools.length === 0) return `${time}  ${t`the app has no pool yet`}`
  return line.pools.map((pool, n) => `${n === 0 ? time : ' '.repeat(time.length)}  ${describePool(pool)}`).join('\n')
}

function describePool({ name, status, inUse, max, idle, waiting, timeouts, suspectedLeaks }: AppPool): string {
  const colour = Object.entries(COLOURS).find(([each]) => each === status)?.[1] ?? 'red'
  const leaks = suspectedLeaks > 0 ? paint('red', t`, ${suspectedLeaks} suspected leaks`) : ''
  const waits = waiting > 0 ? paint('red', t`${waiting} waiting`) : t`${waiting} waiting`
  return t`${name}: ${inUse} of ${max} in use, ${idle} idle, ${waits}, ${timeouts} timeouts${leaks}  ${paint(colour, status)}`
}
