import { MAX_LABELS, OTHER_LABEL } from '../../pool/index.ts'
import { LabelUse } from './label-use.ts'
import { LeaseSums } from './lease-sums.ts'

/** Distinct statements in a window, under all labels together: each takes about half a kilobyte. */
const MAX_STATEMENTS = 8_000

/** The leases of a few minutes. */
export class InsightWindow {
  readonly beganAt: number
  /** The pool's capacity since it exists, when the window began. */
  readonly capacityBefore: number
  readonly labels: Map<string | undefined, LabelUse> = new Map()
  /** Of a pool that has lanes. */
  readonly lanes: Map<string, LeaseSums> = new Map()
  #statements = 0
  readonly #mayAdd = () => this.#statements++ < MAX_STATEMENTS

  constructor(beganAt: number, capacityBefore: number) {
    this.beganAt = beganAt
    this.capacityBefore = capacityBefore
  }

  /** @param previous the window before. */
  labelOf(label: string | undefined, previous: InsightWindow | undefined): LabelUse {
    const known = this.labels.get(label)
    if (known) return known
    // One of them is that of leases without a label.
    const kept = label === undefined || this.labels.size <= MAX_LABELS ? label : OTHER_LABEL
    return this.labels.get(kept) ?? this.#add(kept, previous)
  }

  laneOf(name: string): LeaseSums {
    const known = this.lanes.get(name)
    if (known) return known
    const sums = new LeaseSums()
    this.lanes.set(name, sums)
    return sums
  }

  /** Another window has begun. */
  end(): void {
    for (const label of this.labels.values()) label.end()
  }

  #add(label: string | undefined, previous: InsightWindow | undefined): LabelUse {
    const use = new LabelUse(label, previous?.labels.get(label), this.#mayAdd)
    this.labels.set(label, use)
    return use
  }
}
