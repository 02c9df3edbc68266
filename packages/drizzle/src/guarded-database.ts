import {
  asyncContextIsCheap,
  InvalidOptionError,
  registerOwnCode,
  rejectForeignOptions,
  withDeadlockDetection,
} from '@poolguard/core/adapter'

registerOwnCode(new Error(), 'drizzle')

/** The options that the entries add to Drizzle's configuration. */
export interface ScopeOptions {
  /**
   * Track which callers are inside a transaction, so that the pool can report a deadlock: `db` used instead of `tx` when no other
   * connection is left. Default: from Node 24 on; below Node 24 it makes every `await` of the process 2.4 times as expensive.
   */
  readonly detectDeadlocks?: boolean
}

/** The part of any configuration that poolguard reads. */
interface Given<Options, Client> extends ScopeOptions {
  readonly connection?: string | Options
  readonly client?: Client
}

interface Driver<Options, Client> {
  /** Drizzle's own `drizzle`. */
  readonly drizzle: (config: { client: Client }) => Transacting
  readonly connect: (options: Options | { url: string }) => Client
  /** Fixes Drizzle's faults with this kind of client. */
  readonly fix?: (db: Transacting, client: Client) => void
}

interface Transacting {
  transaction(...work: never[]): Promise<unknown>
}

/**
 * Creates a database from the arguments of an entry: a URL and a configuration, or only a configuration. A client that the app
 * created is passed to Drizzle unchanged.
 */
export function makeGuardedDatabase<Options, Client>(
  { drizzle, connect, fix }: Driver<Options, Client>,
  urlOrConfig: string | object,
  config?: object,
): unknown {
  if (isClient(urlOrConfig))
    return makeGuardedDatabase({ drizzle, connect, ...(fix && { fix }) }, { ...config, client: urlOrConfig })
  // Not `=== 'string'`: undefined, an unset environment variable, must reach the check of the URL.
  const isConfig = typeof urlOrConfig === 'object' && urlOrConfig !== null
  const given = isConfig ? urlOrConfig : { ...config, connection: { url: urlOrConfig } }
  requireSource(given)
  const { detectDeadlocks = asyncContextIsCheap, connection, client, ...rest } = given as Given<Options, Client>
  rejectForeignOptions(rest, 'connection, as in drizzle({ connection: { url, fleet }, schema })')
  const made =
    client ??
    connect(typeof connection === 'object' && connection !== null ? connection : { url: connection as string })
  // Always pass `client`: with the client as first argument, Drizzle 1.0 creates a second client.
  const db = drizzle({ ...rest, client: made })
  fix?.(db, made)
  if (detectDeadlocks) wrapTransactions(db)
  return db
}

/** A configuration is a plain object; a client is an instance of a class, or the function of postgres.js. */
function isClient(given: unknown): boolean {
  if (typeof given === 'function') return true
  if (typeof given !== 'object' || given === null) return false
  const prototype = Object.getPrototypeOf(given)
  return prototype !== null && prototype !== Object.prototype
}

/** Without a connection or a client, Drizzle would connect to localhost. */
function requireSource(given: object): void {
  if ('connection' in given || ('client' in given && given.client)) return
  throw new InvalidOptionError('connection', undefined, 'a URL or options; or pass { client } with a guarded pool')
}

/** Runs each transaction under deadlock detection. */
function wrapTransactions(db: Transacting): void {
  const transaction = db.transaction.bind(db)
  db.transaction = (...work) => withDeadlockDetection(() => transaction(...work))
}
