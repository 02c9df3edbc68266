import type { LimitView } from './fleet-view.ts'
import { LimitWatch, type LimitWatchOptions } from './limit-watch.ts'
import type { Doubts, Reckoning } from './reckon.ts'

/** Compares the claims of instances with the connections that they open, under each limit. */
export class ClaimWatch {
  readonly #options: LimitWatchOptions
  /** Watches by label of the limit. */
  readonly #limits = new Map<string, LimitWatch>()

  constructor(options: LimitWatchOptions) {
    this.#options = options
  }

  /** Calculates the shares of a limit, taking the doubts about its instances into account. */
  judge(limit: LimitView, reckon: (doubts: Doubts) => Reckoning): Reckoning {
    const watch = this.#limits.get(limit.label) ?? new LimitWatch(this.#options)
    this.#limits.set(limit.label, watch)
    const first = reckon(watch.doubts)
    return watch.observe(first, limit.awaited ?? []) ? reckon(watch.doubts) : first
  }
}
