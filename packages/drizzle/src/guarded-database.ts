import { InvalidOptionError, withDeadlockDetection } from '@poolguard/core'
import { asyncContextIsCheap, registerOwnCode, rejectForeignOptions } from '@poolguard/core/adapter'

registerOwnCode(new Error(), 'drizzle')

/** What an entry's configuration has beside Drizzle's own. */
export interface ScopeOptions {
  /**
   * Whether the pool is told which callers are inside a transaction, so that it can report a deadlock: `db` used where
   * `tx` should be, on the last connection. Default: from Node 24 on; below, it makes every await of the process dearer.
   */
  readonly detectDeadlocks?: boolean
}

/** A configuration in any of its forms, as far as it is not Drizzle's business. */
interface Given<Options, Client> extends ScopeOptions {
  readonly connection?: string | Options
  readonly client?: Client
}

interface Driver<Options, Client> {
  /** Drizzle's own `drizzle`. */
  readonly drizzle: (config: { client: Client }) => Transacting
  readonly connect: (options: Options | { url: string }) => Client
  /** Mends what Drizzle does with such a client. */
  readonly mend?: (db: Transacting, client: Client) => void
}

interface Transacting {
  transaction(...work: never[]): Promise<unknown>
}

/**
 * Makes a database out of what an entry was given: a URL and a configuration, or a configuration alone. A client of the app's
 * own is used as Drizzle uses it.
 */
export function makeGuardedDatabase<Options, Client>(
  { drizzle, connect, mend }: Driver<Options, Client>,
  urlOrConfig: string | object,
  config?: object,
): unknown {
  if (isClient(urlOrConfig))
    return makeGuardedDatabase({ drizzle, connect, ...(mend && { mend }) }, { ...config, client: urlOrConfig })
  // Not `=== 'string'`: an environment variable that is not set gets the error that says so.
  const isConfig = typeof urlOrConfig === 'object' && urlOrConfig !== null
  const given = isConfig ? urlOrConfig : { ...config, connection: { url: urlOrConfig } }
  requireSource(given)
  const { detectDeadlocks = asyncContextIsCheap, connection, client, ...rest } = given as Given<Options, Client>
  rejectForeignOptions(rest, 'connection, as in drizzle({ connection: { url, fleet }, schema })')
  const made =
    client ??
    connect(typeof connection === 'object' && connection !== null ? connection : { url: connection as string })
  // Always by `client`: the form with the client as first argument makes a second one in Drizzle 1.0.
  const db = drizzle({ ...rest, client: made })
  mend?.(db, made)
  if (detectDeadlocks) openScopes(db)
  return db
}

/** A configuration is a plain object; a client is an instance of a class, or the function of postgres.js. */
function isClient(given: unknown): boolean {
  if (typeof given === 'function') return true
  if (typeof given !== 'object' || given === null) return false
  const prototype = Object.getPrototypeOf(given)
  return prototype !== null && prototype !== Object.prototype
}

/** Without either, Drizzle would lead to localhost. */
function requireSource(given: object): void {
  if ('connection' in given || ('client' in given && given.client)) return
  throw new InvalidOptionError(
    'connection',
    undefined,
    'a URL or options, or give { client } with a guarded pool in it',
  )
}

/** Each transaction runs in a scope of its own. */
function openScopes(db: Transacting): void {
  const transaction = db.transaction.bind(db)
  db.transaction = (...work) => withDeadlockDetection(() => transaction(...work))
}
