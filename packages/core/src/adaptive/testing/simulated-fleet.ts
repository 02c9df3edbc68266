import { FleetLimit, type FleetNotice } from '../fleet-limit.ts'
import { type Curve, GENERATORS, type Generator, MEASURED_NOISE, seededNoise, TICK_MILLIS } from './simulated-server.ts'

/** Clocks of different machines, kept by NTP. */
const MAX_SKEW_MILLIS = 30

export interface FleetPhase {
  readonly curve: Curve
  readonly seconds: number
}

export interface SimulatedFleetOptions {
  readonly instances: number
  readonly seed: number
  readonly generator?: Generator
  readonly initial?: number
  readonly max?: number
}

interface Instance {
  readonly name: number
  readonly limit: FleetLimit
  readonly skewMillis: number
  exchangeAt: number
}

/** Instances with adaptive limits on one server, whose callers always wait. Each sees only its own throughput, and notices of the others. */
export class SimulatedFleet {
  readonly #max: number
  readonly #initial: number
  readonly #uniform: () => number
  readonly #noise: ReturnType<typeof seededNoise>
  readonly instances: Instance[] = []
  readonly #board = new Map<number, FleetNotice>()
  /** Not at the begin of a period. */
  #now: number
  #names = 0

  constructor({ instances, seed, generator = GENERATORS.mulberry32, initial = 5, max = 64 }: SimulatedFleetOptions) {
    this.#max = max
    this.#initial = initial
    this.#uniform = generator(seed + 1)
    this.#noise = seededNoise(generator(seed), MEASURED_NOISE)
    this.#now = 1_795_000_000_000 + this.#uniform() * 15_000
    for (let i = 0; i < instances; i++) this.join()
  }

  /** @param name instances with a lower name lead. */
  join(name: number = this.#names++): void {
    const limit = new FleetLimit(this.#initial)
    const skewMillis = (2 * this.#uniform() - 1) * MAX_SKEW_MILLIS
    this.instances.push({ name, limit, skewMillis, exchangeAt: this.#now + this.#uniform() * 1_000 })
    this.instances.sort((a, b) => a.name - b.name)
  }

  /** The leader is gone without a word. */
  crashLeader(): void {
    const leader = this.instances.shift()
    if (leader) this.#board.delete(leader.name)
  }

  /** The bases of all instances. */
  get bases(): readonly number[] {
    return this.instances.map(({ limit }) => limit.base)
  }

  /** The different totals that instances follow, in the middle of a slot. */
  get totals(): ReadonlySet<number> {
    const middle = Math.floor(this.#now / 250) * 250 + 125
    return new Set(this.instances.map(({ limit }) => limit.totalAt(middle)))
  }

  /** Runs a phase. Returns the throughput of each second as a share of the best fixed total. */
  run({ curve, seconds }: FleetPhase): readonly number[] {
    const totals = Array.from({ length: this.#max - this.instances.length + 1 }, (_, i) => this.instances.length + i)
    const best = Math.max(...totals.map(curve))
    const shares: number[] = []
    for (let second = 0; second < seconds; second++) {
      let done = 0
      for (let tick = 0; tick < 1_000 / TICK_MILLIS; tick++) done += this.#tick(curve)
      shares.push((done * TICK_MILLIS) / 1_000 / best)
    }
    return shares
  }

  /** One tick; returns the rate without the noise. */
  #tick(curve: Curve): number {
    // Each instance's own time decides what it does.
    const inUse = this.instances.map((each, rank) => {
      const total = each.limit.totalAt(this.#now + each.skewMillis)
      return Math.max(1, Math.floor((total + this.instances.length - 1 - rank) / this.instances.length))
    })
    const total = inUse.reduce((sum, each) => sum + each, 0)
    const rate = curve(total)
    const noisy = rate * TICK_MILLIS * this.#noise.factor()
    this.#now += TICK_MILLIS
    for (const [rank, each] of this.instances.entries()) {
      const mean = (noisy * (inUse[rank] as number)) / total
      const completions = Math.max(0, Math.round(mean + this.#noise.gauss() * Math.sqrt(mean) * 0.7))
      const sample = {
        millis: TICK_MILLIS,
        saturatedMillis: TICK_MILLIS,
        completions,
        work: completions,
        demand: Infinity,
      }
      each.limit.update(this.#now + each.skewMillis, sample)
      if (this.#now >= each.exchangeAt) this.#exchange(each, rank === 0)
    }
    return rate
  }

  #exchange(each: Instance, isLeader: boolean): void {
    const now = this.#now + each.skewMillis
    const notices = [...this.#board].flatMap(([name, notice]) => (name === each.name ? [] : [notice]))
    const bounds = { min: this.instances.length, max: this.#max }
    each.limit.read(now, { notices, isLeader, bounds, demand: 1_000 })
    this.#board.set(each.name, each.limit.notice(now))
    each.exchangeAt = each.limit.nextExchange(now, isLeader, this.#uniform()) - each.skewMillis
  }
}
