import type { Alert } from '../monitor/watch.ts'
import { t } from '../output/translate.ts'
import type { AppMissed, AppPool, AppSample } from './read-pool-stats.ts'

type Condition = readonly [alert: Alert['alert'], holds: boolean, message: string]

/** Raises each alert about a pool once when its condition starts, and again only after it has ended. */
export class AppWatch {
  readonly #fullAt: number
  #raised: ReadonlySet<string> = new Set()

  /** @param fullAt share of a pool's connections in use, between 0 and 1. */
  constructor(fullAt: number) {
    this.#fullAt = fullAt
  }

  check(sample: AppSample | AppMissed): readonly Alert[] {
    if ('error' in sample) return []
    const before = this.#raised
    const holding = sample.pools.flatMap((pool) =>
      this.#conditions(pool)
        .filter(([, holds]) => holds)
        .map(([alert, , message]) => ({ key: JSON.stringify([alert, pool.name]), alert, message })),
    )
    this.#raised = new Set(holding.map(({ key }) => key))
    return holding
      .filter(({ key }) => !before.has(key))
      .map(({ alert, message }) => ({ alert, time: sample.time, message }))
  }

  #conditions({ name, inUse, max, waiting, suspectedLeaks }: AppPool): readonly Condition[] {
    // A pool of one connection, such as SQLite's writer, is in use whenever it works.
    const isFull = max > 1 && inUse >= max * this.#fullAt
    return [
      ['full', isFull, t`${inUse} of ${max} connections of pool ${name} are in use`],
      [
        'waiting',
        waiting > 0,
        t`${waiting} callers of pool ${name} wait for a connection; ${inUse} of ${max} are in use`,
      ],
      ['leak', suspectedLeaks > 0, t`pool ${name} has ${suspectedLeaks} suspected leaks that are still out`],
    ]
  }
}
