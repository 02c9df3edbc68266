import type { ConnectionBudget, PoolEventListener } from '../../pool/index.ts'
import type { SettingsOptions } from '../../settings/index.ts'
import type { PrepareOptions, SessionStateMode } from '../../statements/index.ts'
import type { CredentialsFunction } from '../credentials/index.ts'
import type { HostOptions } from '../hosts/host-plan.ts'
import type { ReplicaOptions } from '../replicas/replica-options.ts'

/** The options of every poolguard pool. All are optional. */
export interface PoolguardOptions extends SettingsOptions, PrepareOptions, HostOptions, ReplicaOptions {
  /** A `postgresql:` connection string. */
  readonly url?: string | undefined
  /**
   * Returns the user and the password for new connections, which change together: short-lived roles, IAM tokens. The pool asks once for
   * all connections that open at the same time, keeps the answer until shortly before `expiresAt`, and asks again immediately if the
   * server rejects the password. An error, or a call that does not return within `pool.connectTimeoutMillis`, is retried like a server
   * that cannot be reached. Not together with `password`, which also takes a function if only the password changes.
   */
  readonly credentials?: CredentialsFunction | undefined
  /**
   * SCRAM channel binding, which proves that no other server has taken over the TLS connection. `prefer` uses it if the server offers it,
   * `require` rejects a server that does not. Default: `channel_binding` of the URL, else `disable`. postgres.js has no channel binding
   * and throws for `require`.
   */
  readonly channelBinding?: 'disable' | 'prefer' | 'require' | undefined
  /**
   * Name of the pool in errors, snapshots and metrics. Default: the database's name. If you set a name, an adapter keeps one
   * pool per name in a process, also across hot reloads.
   */
  readonly name?: string
  /** Called with each event of the pool. */
  readonly onEvent?: PoolEventListener
  /**
   * Whether the pool measures where the time of its connections goes (`insight()`, the findings in snapshots and health, and the metrics
   * `poolguard_lease_seconds_total`): statements on the server, open transactions without a statement, connections held without use.
   * Default: true.
   */
  readonly insight?: boolean | undefined
  /**
   * How to handle a statement that relies on session state (`SET`, `LISTEN`, session locks, named statements...) behind a
   * pooler that does not keep it: `warn` once (the default), `throw` instead of sending it, or `off`.
   */
  readonly sessionState?: SessionStateMode
  /**
   * How to handle a query on a connection or in a transaction that its caller has already released. `report` (the default)
   * runs it, like pg, and emits the event `query-after-release` with the caller's stack; `reject` rejects it with a
   * `QueryAfterReleaseError`. postgres.js and SQLite always reject such queries.
   */
  readonly queryAfterRelease?: 'report' | 'reject'
  /**
   * Whether callers wait for a server that has not answered since the process started, if it refuses connections or its name
   * does not resolve (`ECONNREFUSED`, `ENOTFOUND`, `EHOSTUNREACH`...). They wait up to `acquireTimeoutMillis`, as for a server
   * that restarts; without this option they are rejected immediately. Set it for apps that start together with their database,
   * as under Docker Compose. Callers always wait for a server that has answered any pool of the process before.
   *
   * Default: true with `fleet`, `instances` or a `pool.min`, and for pools that NestJS and Fastify make; else false.
   */
  readonly waitForServer?: boolean | undefined
  /**
   * One maximum for several pools of this process, such as those of tenants with a database each: `budgetOf('tenants', { max: 20 })`. A connection
   * that is idle in one pool is closed for a caller of another one. `pool.max` still limits each pool. Not together with `fleet`.
   */
  readonly budget?: ConnectionBudget | undefined
  /**
   * Keeps a serverless function alive until its idle connections are closed, with the platform's own function, such as
   * `waitUntil` of `@vercel/functions`. Called with each checkout, in the context of the request. A frozen function closes no
   * connection, so its connections stay open until the server closes them.
   */
  readonly waitUntil?: (emptied: Promise<void>) => void
}
