import type { PoolerReport, ServerReport } from '@poolguard/core'

/** Everything that the page shows at one moment. The server sends one every second. */
export interface PageDocument {
  /** Milliseconds since 1970, by the server's clock. */
  readonly time: number
  readonly process: ProcessView
  /** What `poolguard ui` watches; null for the page of an app. */
  readonly watched: WatchedView | null
  readonly status: Status
  /** The pools in the worst state first. */
  readonly pools: Shown<PoolView>
  /** Connections in use, the one that has been held for longest first. */
  readonly holders: Shown<HolderView>
  /** The routes and jobs that wait for connections, the longest wait first; the total is that of the callers. */
  readonly waiters: Shown<WaiterView>
  /** The finding that takes most of its pool's time first. */
  readonly findings: Shown<FindingView>
  /** The servers and poolers that the app has named. */
  readonly sources: readonly SourceView[]
  /** The latest first. */
  readonly events: readonly EventView[]
}

export type Status = 'healthy' | 'warning' | 'critical'

/** The first entries of a list, and the number of all. */
export interface Shown<Entry> {
  readonly entries: readonly Entry[]
  readonly total: number
}

export interface ProcessView {
  readonly host: string
  readonly pid: number
  /** Distinguishes this process from an earlier one with the same host and pid. */
  readonly startedAt: number
}

/** The servers and apps of a page that shows more than its own process. */
export interface WatchedView {
  /** The database and the apps. */
  readonly names: readonly string[]
  /** Whether pools can be among its figures. */
  readonly hasApps: boolean
}

export interface PoolView {
  /** Unique in the process. */
  readonly id: number
  readonly name: string
  /** The connection string, its password hidden. */
  readonly target: string
  /** The server or pooler that was detected; null until then. */
  readonly server: string | null
  readonly status: Status
  /** The problems, one sentence each. */
  readonly reasons: readonly string[]
  readonly max: number
  /** Connections that may be in use at the same time: below `max` with the setting `limit`. */
  readonly limit: number
  readonly total: number
  readonly idle: number
  readonly active: number
  readonly connecting: number
  readonly waiting: number
  readonly acquired: number
  readonly timeouts: number
  readonly suspectedLeaks: number
  /** Whether the page may resize it and close its idle connections. */
  readonly isControlled: boolean
  /** Empty for a pool without lanes. */
  readonly lanes: readonly LaneView[]
  readonly fleet: FleetView | null
  /** The latest; the earlier ones are in the pool's history. */
  readonly sample: PoolSample
}

/** The figures of a pool at one moment of the last ten minutes. */
export type PoolSample = readonly [
  /** Seconds since 1970. */
  time: number,
  active: number,
  max: number,
  waiting: number,
  /** Of the callers that got a connection since the sample before; null if there were none. */
  waitP99Millis: number | null,
]

/** A lane of a pool: its callers have limits and a queue of their own. */
export interface LaneView {
  readonly name: string
  readonly active: number
  /** The most connections that its callers may have. */
  readonly max: number
  readonly waiting: number
}

export interface FleetView {
  readonly instance: string
  /** Connections that this instance may open. */
  readonly maxConnections: number
  readonly demand: number
  readonly instances: number
  /** Connections that all instances may open together. */
  readonly sharedConnections: number
  /** Of all instances together; absent if the fleet looks for none. */
  readonly adaptiveLimit?: number | undefined
}

export interface HolderView {
  /** Unique in the process, and the same until the connection is released. */
  readonly id: string
  readonly pool: string
  /** The route or job; null without a label. */
  readonly label: string | null
  /** Null in a pool without lanes. */
  readonly lane: string | null
  readonly heldMillis: number
  /** Since the last activity on the connection. */
  readonly quietMillis: number
  readonly state: 'running' | 'idle' | 'idle in transaction'
  /** The statement that runs, or the last one; null if unknown. Without literals. */
  readonly statement: string | null
  /** How long the statement has been running; null if none is. */
  readonly runningMillis: number | null
  readonly suspected: boolean
  /** Whether its stack can be asked for. */
  readonly hasStack: boolean
}

/** Callers of one route or job that wait for a connection. */
export interface WaiterView {
  readonly pool: string
  readonly label: string | null
  /** Null in a pool without lanes. */
  readonly lane: string | null
  readonly count: number
  /** The longest wait. */
  readonly waitedMillis: number
}

export interface FindingView {
  readonly pool: string
  readonly kind: string
  readonly label: string | null
  readonly text: string
  readonly site: string | null
  readonly usedShare: number
  readonly count: number
}

export interface EventView {
  /** Grows with each event. */
  readonly id: number
  /** Milliseconds since 1970: the last of `count` equal events. */
  readonly time: number
  readonly pool: string
  readonly type: string
  /** The route or job of the caller; null if it has none, or is not known. */
  readonly label: string | null
  /** The message of an error or a warning; null for other events. */
  readonly message: string | null
  /** The stack of the caller; null if it is not known. */
  readonly stack: string | null
  /** A duration that belongs to the event; null if it has none. */
  readonly millis: number | null
  /** A statement without literals, or the reason of a close; null if it has none. */
  readonly detail: string | null
  readonly count: number
}

/** A server, a pooler, or an app that does not answer. */
export interface SourceView {
  readonly name: string
  readonly isApp: boolean
  /** Whether the page may terminate its sessions. */
  readonly isControlled: boolean
  /** `pending` until the first answer; `unreachable` if there was none in time. */
  readonly report: ServerReport | PoolerReport | 'pending' | 'unreachable'
  /** Why it is unreachable; null if that is not known. */
  readonly problem: string | null
}

/** What the page does after a confirmation, if the app allows it. */
export type PageAction =
  | { readonly action: 'resize'; readonly pool: number; readonly max: number }
  | { readonly action: 'close idle'; readonly pool: number }
  | {
      readonly action: 'terminate'
      readonly source: string
      readonly pid: number
      /** As in the report: a later session with the same pid is another one. */
      readonly startedAt: string
    }
