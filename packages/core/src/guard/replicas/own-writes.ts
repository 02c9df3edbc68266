import type { Lease } from '../../pool/index.ts'
import type { WalPosition } from './wal-position.ts'

/** Leases that have ended are dropped when there are more than this many. */
const MAX_LEASES = 256

type Use = Pick<Lease<object>, 'active'>

/** What the writes of a unit of work need a replica to have replayed. */
export interface Need {
  /** Rejects if the primary cannot be asked. */
  readonly position: Promise<WalPosition>
  /** Until when reads may wait for it. */
  readonly waitUntil: number
}

/**
 * The leases on the primary of one unit of work. Each may have written, until it has ended. A position of the primary that the pool reads later covers
 * all of its commits, so that a lease costs nothing until a read follows.
 */
class Uses {
  readonly #leases = new Set<Use>()
  #haveEnded = false
  #need: Need | undefined

  add(lease: Use): void {
    if (this.#leases.size >= MAX_LEASES) this.#dropEnded()
    this.#leases.add(lease)
  }

  /** @param ask resolves to a position that the primary reaches after the call. */
  need(ask: () => Need): Need | undefined {
    this.#dropEnded()
    if (!this.#haveEnded && this.#leases.size === 0) return this.#need
    this.#haveEnded = false
    const need = ask()
    need.position.catch(() => {
      // The next read asks again.
      this.#haveEnded = true
    })
    this.#need = need
    return need
  }

  #dropEnded(): void {
    for (const lease of this.#leases) {
      if (lease.active) continue
      this.#leases.delete(lease)
      this.#haveEnded = true
    }
  }
}

/** The writes that reads must see: those of their unit of work (`runWithOwnWrites`), or those of the process. */
export class OwnWrites {
  readonly #ofProcess = new Uses()
  readonly #ofUnits = new WeakMap<object, Uses>()

  /** A caller has acquired a connection of the primary, on which it may write. */
  add(lease: Use, unit: object | undefined): void {
    this.#ofProcess.add(lease)
    if (!unit) return
    const uses = this.#ofUnits.get(unit) ?? new Uses()
    this.#ofUnits.set(unit, uses)
    uses.add(lease)
  }

  /** The needs of a read; undefined if nothing was written before. */
  need(unit: object | undefined, ask: () => Need): Need | undefined {
    return unit ? this.#ofUnits.get(unit)?.need(ask) : this.#ofProcess.need(ask)
  }
}
