import type { FaultProxy, PgBouncerServer, PostgresServer } from '../harness/index.ts'
import type { WorkerProcess } from './worker-process.ts'

/** Everything a fault can do harm to. The app reaches the server, or the pooler, through the proxy. */
export interface Scene {
  readonly server: PostgresServer
  /** Set if the fault wants one. It has everything that the server has reported as committed. */
  readonly standby: PostgresServer | undefined
  readonly proxy: FaultProxy
  /** Set if the fault wants one. */
  readonly pooler: PgBouncerServer | undefined
  readonly app: WorkerProcess
}

/** Something that goes wrong, and is over when `inject` resolves. */
export interface Fault {
  /** Stable, for `--fault`. */
  readonly id: string
  /** For the table. */
  readonly title: string
  /** What is not the real thing; empty if everything is. */
  readonly imitated?: string
  /** SQL of the superuser, before the app starts. */
  readonly setup?: string
  /** Settings of the server. */
  readonly settings?: Readonly<Record<string, string | number>>
  /** Adds a standby, which is the app's server after the fault. */
  readonly takenOverByStandby?: boolean
  /** Puts PgBouncer between, with these settings. */
  readonly pooler?: Readonly<Record<string, string | number>>
  /** Connections that a caller keeps for good: the pool cannot lend them again. */
  readonly keptConnections?: number
  /** The fault itself stops the app. */
  readonly endsTheApp?: boolean
  inject(scene: Scene): Promise<void>
}
