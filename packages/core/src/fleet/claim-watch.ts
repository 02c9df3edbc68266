import type { LimitView } from './fleet-view.ts'
import { LimitWatch, type LimitWatchOptions } from './limit-watch.ts'
import type { Doubts, Reckoning } from './reckon.ts'

/** Compares what members claim with the connections that they open, under each limit. */
export class ClaimWatch {
  readonly #options: LimitWatchOptions
  /** By label. */
  readonly #limits = new Map<string, LimitWatch>()

  constructor(options: LimitWatchOptions) {
    this.#options = options
  }

  /** Shares a limit out with what is to be doubted of its members. */
  judge(limit: LimitView, reckon: (doubts: Doubts) => Reckoning): Reckoning {
    const watch = this.#limits.get(limit.label) ?? new LimitWatch(this.#options)
    this.#limits.set(limit.label, watch)
    const first = reckon(watch.doubts)
    return watch.look(first, limit.awaited ?? []) ? reckon(watch.doubts) : first
  }
}
