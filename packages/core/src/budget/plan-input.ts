import type { Capacity } from './capacity.ts'
import type { PoolerCapacity } from './pooler-capacity.ts'
import type { Surge } from './surge.ts'
import type { OtherConnections } from './usage.ts'

/** The input of a plan for one server. A replica has its own connections: plan each server separately. */
export interface PlanInput {
  readonly capacity: Capacity
  /** Instances of the app; without `maxSurge`, including old and new ones during a rolling deploy. */
  readonly instances: number
  /** How many additional instances a rolling deploy runs, like Kubernetes' maxSurge: `1`, or `'25%'`. Default 0. */
  readonly maxSurge?: Surge | undefined
  /** Processes per instance, such as the workers of a cluster. Default 1. */
  readonly processesPerInstance?: number | undefined
  /** Pools that each process opens to this server. Default 1. */
  readonly poolsPerProcess?: number | undefined
  /** Connections that migrations need while the app runs. Default 0: migrations use the headroom. */
  readonly migrations?: number | undefined
  /** Connections left free for administrators, migrations and cron jobs. Default: 3, or 10 % of the usable ones if that is more. */
  readonly headroom?: number | undefined
  /** Connections of other applications: see `connectionsOfOthers`. Default: none. */
  readonly others?: OtherConnections | undefined
  /** The pooler in front of the server, if there is one. */
  readonly pooler?: PoolerCapacity | undefined
}
