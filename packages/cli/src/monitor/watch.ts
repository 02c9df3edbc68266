import { t } from '../output/translate.ts'
import type { ApplicationCount } from '../sessions/group-by-application.ts'
import type { Missed, Sample } from './sample.ts'
import type { PoolerPool } from './watch-pooler.ts'

export interface Alert {
  readonly alert: 'full' | 'leak' | 'waiting'
  readonly time: string
  readonly message: string
}

export interface WatchOptions {
  /** Share of the usable connections at which the server counts as full, between 0 and 1. */
  readonly fullAt: number
  /** A count that grew by `leakGrowth` over this many samples without a decrease is a suspected leak. */
  readonly leakSamples: number
  readonly leakGrowth: number
}

/** The alert ends this far below `fullAt`, so that a count near the threshold raises one alert. */
const HYSTERESIS = 0.1

/** Shorter waits are normal at peak load. */
const LONG_WAIT_MILLIS = 1_000

interface Growth {
  /** The count when it started to grow. */
  from: number
  last: number
  samples: number
  reported: boolean
}

/** Raises each alert once when a condition starts, and again only after it has ended. */
export class Watch {
  readonly #options: WatchOptions
  readonly #growths = new Map<string, Growth>()
  #full = false
  /** Pools of PgBouncer whose clients wait, by database and user. */
  #waiting: ReadonlySet<string> = new Set()

  constructor(options: WatchOptions) {
    this.#options = options
  }

  check(sample: Sample | Missed): readonly Alert[] {
    const waiting = this.#checkPooler(sample)
    if ('error' in sample) return [...waiting, ...this.#checkRejected(sample)]
    this.#dropMissing(sample)
    return [
      ...waiting,
      ...this.#checkFull(sample),
      ...sample.applications.flatMap((count) => this.#checkGrowth(sample.time, count)),
    ]
  }

  #checkFull({ time, used, usable, applications }: Sample): Alert[] {
    const share = usable > 0 ? used / usable : 1
    if (share < this.#options.fullAt - HYSTERESIS) this.#full = false
    if (this.#full || share < this.#options.fullAt) return []
    this.#full = true
    const [most] = [...applications].sort((a, b) => b.connections - a.connections)
    const message = most
      ? t`${used} of ${usable} connections are open; most of them by ${nameOf(most)}: ${most.connections}`
      : t`${used} of ${usable} connections are open`
    return [{ alert: 'full', time, message }]
  }

  #checkPooler({ time, pooler }: Sample | Missed): Alert[] {
    if (!pooler || 'error' in pooler) return []
    const long = pooler.pools.filter(
      ({ clientsWaiting, maxWaitMillis }) => clientsWaiting > 0 && maxWaitMillis >= LONG_WAIT_MILLIS,
    )
    const before = this.#waiting
    const nameOfPool = ({ database, user }: PoolerPool) => `${database}/${user}`
    this.#waiting = new Set(long.map(nameOfPool))
    return long
      .filter((pool) => !before.has(nameOfPool(pool)))
      .map((pool) => {
        const seconds = (pool.maxWaitMillis / 1_000).toFixed(1)
        const halted = pool.paused ? t`; the database is paused` : ''
        return {
          alert: 'waiting',
          time,
          message: t`${pool.clientsWaiting} clients of PgBouncer's pool ${nameOfPool(pool)} wait for a server connection, the longest for ${seconds} s; ${pool.serversActive} of ${pool.poolSize ?? '?'} are in use${halted}`,
        }
      })
  }

  /** The holders of the connections are unknown in this case. */
  #checkRejected({ time, full, error }: Missed): Alert[] {
    if (!full || this.#full) return []
    this.#full = true
    return [
      {
        alert: 'full',
        time,
        message: t`the server rejects new connections of this role: ${error}; run monitor with a superuser's URL to see which applications hold the connections`,
      },
    ]
  }

  /** Drops applications without connections: names with a pid or a pod would otherwise accumulate. */
  #dropMissing({ applications }: Sample): void {
    const seen = new Set(applications.map(keyOf))
    for (const key of this.#growths.keys()) if (!seen.has(key)) this.#growths.delete(key)
  }

  #checkGrowth(time: string, count: ApplicationCount): Alert[] {
    const key = keyOf(count)
    const growth = this.#growths.get(key)
    const { connections } = count
    if (!growth || connections < growth.last) {
      this.#growths.set(key, { from: connections, last: connections, samples: 1, reported: false })
      return []
    }
    growth.last = connections
    growth.samples++
    const { leakSamples, leakGrowth } = this.#options
    if (growth.reported || growth.samples < leakSamples || connections - growth.from < leakGrowth) return []
    growth.reported = true
    const message = t`${nameOf(count)} grew from ${growth.from} to ${connections} connections over ${growth.samples} samples without a decrease: does the app create a pool for each request, or fail to release clients?`
    return [{ alert: 'leak', time, message }]
  }
}

function keyOf({ application, role }: ApplicationCount): string {
  return JSON.stringify([application, role])
}

function nameOf({ application, role }: ApplicationCount): string {
  return t`${application || t`an app without application_name`} (role ${role})`
}
