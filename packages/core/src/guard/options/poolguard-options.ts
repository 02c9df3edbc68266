import type { PoolEventListener } from '../../pool/index.ts'
import type { SettingsOptions } from '../../settings/index.ts'
import type { LintMode, PrepareOptions } from '../../statements/index.ts'

/** What can be told to poolguard; the same object wherever a pool is made. All of it is optional. */
export interface PoolguardOptions extends SettingsOptions, PrepareOptions {
  /** A `postgresql:` connection string. */
  readonly url?: string | undefined
  /**
   * Names the pool in errors, snapshots and metrics. Default: the database's name. An adapter keeps one pool per given name
   * in a process, over hot reloads, too.
   */
  readonly name?: string
  /** Told what happens in the pool. */
  readonly onEvent?: PoolEventListener
  /**
   * What becomes of a statement that relies on the session (`SET`, `LISTEN`, session locks, named statements...) where a
   * pooler does not keep that: `warn` once (the default), `throw` instead of sending it, or `off`.
   */
  readonly sessionState?: LintMode
  /**
   * What becomes of a query that is sent on a connection, or in a transaction, after its caller has released it. `report`
   * (the default) runs it, as pg does, and emits the event `query-after-release` with the caller's stack; `reject` fails
   * it with a `QueryAfterReleaseError`. postgres.js and SQLite reject such queries in any case.
   */
  readonly queryAfterRelease?: 'report' | 'reject'
  /**
   * Whether callers wait for a server that has not answered since the process started, and refuses connections or whose name is
   * unknown (`ECONNREFUSED`, `ENOTFOUND`, `EHOSTUNREACH`...), as long as for one that restarts: up to `acquireTimeoutMillis`. Without
   * it they are rejected at once. For apps that start together with their database, as under Docker Compose. A server
   * that has answered any pool of the process before is always waited for.
   *
   * Default: true with `fleet`, `instances` or a `pool.min`, and for pools that NestJS and Fastify make; else false.
   */
  readonly waitForServer?: boolean | undefined
  /**
   * Keeps a function alive until its idle connections are closed, by the platform's own means, such as `waitUntil` of
   * `@vercel/functions`: called with each checkout, so in the context of the request. A frozen function closes nothing,
   * and its connections stay open on the server until that gives up on them.
   */
  readonly waitUntil?: (emptied: Promise<void>) => void
}
