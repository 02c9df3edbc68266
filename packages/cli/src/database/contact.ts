import type { Topology } from '@poolguard/core'
import { type ConnectionString, PGBOUNCER_CONSOLE } from '@poolguard/core/postgres'
import { GuardedPool } from '@poolguard/pg'
import { t } from '../output/translate.ts'

export type Pool = InstanceType<typeof GuardedPool>

const TIMEOUT_MILLIS = 5_000

export interface ContactOptions {
  readonly applicationName: string
  readonly max: number
  /** Acquire timeout after the first connection. Default 5 s. */
  readonly acquireTimeoutMillis?: number
  /** The pool runs the user's statements, which need the app's search_path. */
  readonly runsUsersStatements?: boolean
}

/** A short-lived pool that reads from a database. */
export interface Contact extends AsyncDisposable {
  readonly pool: Pool
  /** Connects and detects PostgreSQL or a pooler. Rejects with the first connect error, where a pool would retry. */
  reach(): Promise<Topology>
}

/** @throws the pool's error for a URL that it cannot use. */
export function contact(url: ConnectionString, options: ContactOptions): Contact {
  const { applicationName, max, acquireTimeoutMillis = TIMEOUT_MILLIS, runsUsersStatements = false } = options
  const refused = Promise.withResolvers<never>()
  // Prevents an unhandled rejection if the first connect succeeds.
  refused.promise.catch(() => {})
  const pool = new GuardedPool({
    url: (runsUsersStatements ? url : withSafePath(url)).href,
    name: 'poolguard',
    application_name: applicationName,
    query_timeout: Math.max(TIMEOUT_MILLIS, acquireTimeoutMillis),
    // Nothing is in use when a command ends, unless it has given up a connection that gets no answer.
    pool: { max, acquireTimeoutMillis, connectTimeoutMillis: TIMEOUT_MILLIS, drainMillis: 0 },
    onEvent: (event) => {
      if (event.type === 'connect-failed') refused.reject(event.error)
    },
  })
  let closing: Promise<void> | undefined
  return {
    pool,
    async reach() {
      const connecting = pool.connect()
      // A connect that succeeds after a failure returns its connection to the pool.
      connecting.then(
        (client) => client.release(),
        () => {},
      )
      try {
        await Promise.race([connecting, refused.promise])
        const { topology } = await pool.ready()
        if (!topology) throw new Error(t`the server did not identify itself`)
        if (topology.kind !== 'unknown' || url.database !== PGBOUNCER_CONSOLE) return topology
      } catch (error) {
        if (url.database !== PGBOUNCER_CONSOLE) throw error
      }
      // The console accepts only its own commands, and closes a connection that sends a query.
      throw new Error(
        t`this URL leads to PgBouncer's console: pass the URL of the app's database, and this one as --pooler-url`,
      )
    },
    [Symbol.asyncDispose]: () => (closing ??= pool.end()),
  }
}

/**
 * The CLI often connects as a superuser to a database that another role owns. The owner can shadow PostgreSQL's functions
 * and operators (ALTER DATABASE ... SET search_path), and the CLI's queries would run them as superuser. A startup option
 * overrides the database's setting. A pooler may drop the option, so the queries also name their schemas.
 */
function withSafePath(url: ConnectionString): ConnectionString {
  const options = [url.parameter('options'), '-c search_path=pg_catalog'].filter(Boolean).join(' ')
  const others = url.without('options')
  return others.with({ parameters: [...others.parameters, ['options', options]] })
}
