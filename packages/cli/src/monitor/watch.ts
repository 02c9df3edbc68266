import type { ApplicationCount } from '../database/count-by-application.ts'
import type { Missed, Sample } from './sample.ts'

export interface Alert {
  readonly alert: 'full' | 'leak'
  readonly time: string
  readonly message: string
}

export interface WatchOptions {
  /** Share of what is usable from which on the server counts as full, between 0 and 1. */
  readonly fullAt: number
  /** A count that has not gone down for so many samples, and has grown by `leakGrowth`, is suspected to leak. */
  readonly leakSamples: number
  readonly leakGrowth: number
}

/** So much below `fullAt` the alarm is over: a count that swings round the threshold is one alarm. */
const CALM = 0.1

interface Growth {
  /** Where the count began to grow. */
  from: number
  last: number
  samples: number
  told: boolean
}

/** Tells each thing once: when it begins, and again only after it was over. */
export class Watch {
  readonly #options: WatchOptions
  readonly #growths = new Map<string, Growth>()
  #full = false

  constructor(options: WatchOptions) {
    this.#options = options
  }

  see(sample: Sample | Missed): readonly Alert[] {
    if ('error' in sample) return this.#seeRefusal(sample)
    this.#forgetMissing(sample)
    return [
      ...this.#seeFullness(sample),
      ...sample.applications.flatMap((count) => this.#seeGrowth(sample.time, count)),
    ]
  }

  #seeFullness({ time, used, usable, applications }: Sample): Alert[] {
    const share = usable > 0 ? used / usable : 1
    if (share < this.#options.fullAt - CALM) this.#full = false
    if (this.#full || share < this.#options.fullAt) return []
    this.#full = true
    const [most] = [...applications].sort((a, b) => b.connections - a.connections)
    const holder = most ? `; most of them by ${nameOf(most)} (${most.connections})` : ''
    return [{ alert: 'full', time, message: `${used} of ${usable} connections are open${holder}` }]
  }

  /** Who holds the connections is not known then. */
  #seeRefusal({ time, full, error }: Missed): Alert[] {
    if (!full || this.#full) return []
    this.#full = true
    return [
      {
        alert: 'full',
        time,
        message: `this role is let in no more: ${error}; a superuser's URL tells who holds the connections`,
      },
    ]
  }

  /** One without connections has gone down to none. Names that hold a pid or a pod would otherwise gather for ever. */
  #forgetMissing({ applications }: Sample): void {
    const seen = new Set(applications.map(keyOf))
    for (const key of this.#growths.keys()) if (!seen.has(key)) this.#growths.delete(key)
  }

  #seeGrowth(time: string, count: ApplicationCount): Alert[] {
    const key = keyOf(count)
    const growth = this.#growths.get(key)
    const { connections } = count
    if (!growth || connections < growth.last) {
      this.#growths.set(key, { from: connections, last: connections, samples: 1, told: false })
      return []
    }
    growth.last = connections
    growth.samples++
    const { leakSamples, leakGrowth } = this.#options
    if (growth.told || growth.samples < leakSamples || connections - growth.from < leakGrowth) return []
    growth.told = true
    const message = `${nameOf(count)} went from ${growth.from} to ${connections} connections in ${growth.samples} samples and never down: is a pool made for each request, or a client never released?`
    return [{ alert: 'leak', time, message }]
  }
}

function keyOf({ application, role }: ApplicationCount): string {
  return JSON.stringify([application, role])
}

function nameOf({ application, role }: ApplicationCount): string {
  return `${application || 'sessions without application_name'} (${role})`
}
