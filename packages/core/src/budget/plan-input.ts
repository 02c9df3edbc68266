import type { Capacity } from './capacity.ts'
import type { PoolerCapacity } from './pooler-capacity.ts'
import type { Surge } from './surge.ts'
import type { OtherConnections } from './usage.ts'

/** What is to share one server's connections. A replica has connections of its own: plan each server by itself. */
export interface PlanInput {
  readonly capacity: Capacity
  /** Instances of the app; where nothing is said of surge, old and new together during a rolling deploy. */
  readonly instances: number
  /** How many more a rolling deploy runs at the same time, as Kubernetes' maxSurge: `1`, or `'25%'`. Default 0. */
  readonly maxSurge?: Surge | undefined
  /** Processes in each instance, such as the workers of a cluster. Default 1. */
  readonly processesPerInstance?: number | undefined
  /** Pools that each process has to this server. Default 1. */
  readonly poolsPerProcess?: number | undefined
  /** Connections that migrations need while the app runs. Default 0: they go out of the headroom. */
  readonly migrations?: number | undefined
  /** Slots left free for people, migrations and cron. Default: 3, or 10 % of what is usable, whichever is more. */
  readonly headroom?: number | undefined
  /** What other applications hold: see `connectionsOfOthers`. Default: nothing. */
  readonly others?: OtherConnections | undefined
  /** The pooler in between, if there is one. */
  readonly pooler?: PoolerCapacity | undefined
}
