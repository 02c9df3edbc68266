import type { Topology } from '@poolguard/core'
import { type ConnectionString, PGBOUNCER_CONSOLE } from '@poolguard/core/postgres'
import { GuardedPool } from '@poolguard/pg'

export type Pool = InstanceType<typeof GuardedPool>

const PATIENCE_MILLIS = 5_000

export interface ContactOptions {
  readonly applicationName: string
  readonly max: number
  /** How long a caller waits for a connection once there was one. Default 5 s. */
  readonly acquireTimeoutMillis?: number
  /** The pool runs statements that the user gave, which resolve names as the app does. */
  readonly runsUsersStatements?: boolean
}

/** A pool for a look at a database. */
export interface Contact extends AsyncDisposable {
  readonly pool: Pool
  /** Connects, and finds out what is at the other end. Rejects with what the first refusal said: a pool would try again. */
  reach(): Promise<Topology>
}

/** @throws what the pool says of a URL that it cannot use. */
export function contact(url: ConnectionString, options: ContactOptions): Contact {
  const { applicationName, max, acquireTimeoutMillis = PATIENCE_MILLIS, runsUsersStatements = false } = options
  const refused = Promise.withResolvers<never>()
  // Whoever was connected at once never waits for it.
  refused.promise.catch(() => {})
  const pool = new GuardedPool({
    url: (runsUsersStatements ? url : withSafePath(url)).href,
    name: 'poolguard',
    application_name: applicationName,
    query_timeout: Math.max(PATIENCE_MILLIS, acquireTimeoutMillis),
    pool: { max, acquireTimeoutMillis, connectTimeoutMillis: PATIENCE_MILLIS },
    onEvent: (event) => {
      if (event.type === 'connect-failed') refused.reject(event.error)
    },
  })
  return {
    pool,
    async reach() {
      const connecting = pool.connect()
      // Whoever goes on after a refusal finds the connection that came later in the pool.
      connecting.then(
        (client) => client.release(),
        () => {},
      )
      try {
        await Promise.race([connecting, refused.promise])
        const { topology } = await pool.ready()
        if (!topology) throw new Error('the other end did not tell what it is')
        if (topology.kind !== 'unknown' || url.database !== PGBOUNCER_CONSOLE) return topology
      } catch (error) {
        if (url.database !== PGBOUNCER_CONSOLE) throw error
      }
      // The console takes no query but its own commands, and closes the connection of one that sends another.
      throw new Error("this is PgBouncer's console: give the URL of the app's database, and this one as --pooler-url")
    },
    [Symbol.asyncDispose]: () => pool.end(),
  }
}

/**
 * The CLI often connects as a superuser to a database that another role owns. That owner can put functions and operators of
 * their own in front of PostgreSQL's (ALTER DATABASE ... SET search_path), and ours would run them. A startup option goes
 * before the database's setting. A pooler may drop it, so our queries name their schemas as well.
 */
function withSafePath(url: ConnectionString): ConnectionString {
  const options = [url.parameter('options'), '-c search_path=pg_catalog'].filter(Boolean).join(' ')
  const others = url.without('options')
  return others.with({ parameters: [...others.parameters, ['options', options]] })
}
