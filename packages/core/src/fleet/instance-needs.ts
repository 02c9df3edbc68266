import { DemandWindow } from './demand-window.ts'
import { CHECKS_PER_INTERVAL } from './exchange-timer.ts'
import { MAX_FIGURE } from './member-name.ts'

/** The parts of a pool that its needs follow from. */
export interface NeedsPort {
  /** Connections in use plus waiters, without those of exchanges. */
  demand(): number
  /** The bounds that the user has set. */
  bounds(): { readonly min: number; readonly max: number }
}

/** How many connections an instance could use, and how many it keeps. */
export class InstanceNeeds {
  readonly #port: NeedsPort
  /** The demand of the last interval. */
  readonly #wanted = new DemandWindow(CHECKS_PER_INTERVAL)
  #servedAtOnce = Infinity

  constructor(port: NeedsPort) {
    this.#port = port
  }

  /** Connections that it could use: the most of the last interval. */
  get demand(): number {
    return Math.min(Math.max(this.#wanted.most, this.#port.demand()), this.ceiling)
  }

  /** Connections that it keeps regardless of other instances' demand. */
  get floor(): number {
    return Math.min(Math.max(1, this.#port.bounds().min), this.ceiling)
  }

  /** It never needs more than this. */
  get ceiling(): number {
    return Math.max(1, Math.min(this.#port.bounds().max, this.#servedAtOnce, MAX_FIGURE))
  }

  /** Records the demand before an acquire. Returns false if it has not grown in the current part of the interval. */
  note(demand: number): boolean {
    if (demand <= this.#wanted.current) return false
    this.#wanted.note(demand)
    return true
  }

  /** Begins the next part of the interval. */
  next(): void {
    this.#wanted.next(this.#port.demand())
  }

  /** @param most connections that the server or pooler serves at the same time: see {@link FleetView}. */
  limitTo(most: number): void {
    this.#servedAtOnce = most
  }

  /** Call when the instance has left the fleet: the limit of its server or pooler is unknown again. */
  forgetLimit(): void {
    this.#servedAtOnce = Infinity
  }
}
