/**
 * What kind of thing relies on the session:
 *
 * - `set`: `SET`, `RESET`, `set_config(.., .., false)`
 * - `tracked-set`: `SET` and `RESET` of a parameter that PgBouncer keeps per client by itself, other poolers perhaps not
 * - `set-role`: `SET ROLE`, `SET SESSION AUTHORIZATION` and their `RESET`
 * - `listen`: `LISTEN`, `UNLISTEN`
 * - `sql-prepare`: `PREPARE`, `EXECUTE`, `DEALLOCATE` as SQL, not the protocol's
 * - `advisory-lock`: advisory locks of the session, not those of the transaction
 * - `with-hold`: cursors `WITH HOLD`
 * - `temporary-table`: whatever is temporary and outlives the transaction
 * - `discard`: `DISCARD`
 * - `load`: `LOAD`
 */
export type StatementFindingCode =
  | 'set'
  | 'tracked-set'
  | 'set-role'
  | 'listen'
  | 'sql-prepare'
  | 'advisory-lock'
  | 'with-hold'
  | 'temporary-table'
  | 'discard'
  | 'load'

/** One thing in a SQL text that relies on the session, which a pooler in transaction or statement mode does not keep. */
export interface StatementFinding {
  readonly code: StatementFindingCode
  /** What was seen, in canonical spelling: `SET search_path`. Never a value, a literal, or a name of the app's other than a parameter's. */
  readonly construct: string
  /** What goes wrong behind such a pooler. */
  readonly why: string
  /** What to do about it. */
  readonly instead: string
}

type Advice = Pick<StatementFinding, 'why' | 'instead'>

const ADVICE: Readonly<Record<Exclude<StatementFindingCode, 'advisory-lock'>, Advice>> = {
  set: {
    why: 'The setting stays on the server connection, which goes to another client after this transaction: your next statement runs without it, and somebody else runs with it.',
    instead:
      'SET LOCAL (or set_config with true) inside the transaction that needs it, or ALTER ROLE ... SET for every connection of the role.',
  },
  'tracked-set': {
    why: 'PgBouncer restores this parameter for every client. Other poolers in transaction mode may leave it on the server connection, for whoever comes next.',
    instead: 'The same parameter in the connection string, ALTER ROLE ... SET, or SET LOCAL inside a transaction.',
  },
  'set-role': {
    why: 'The role stays on the server connection, which goes to another client after this transaction: your next statement runs with the rights of the login, and somebody else runs with the rights of this role.',
    instead: 'SET LOCAL ROLE inside the transaction that needs it, or a pool of its own that logs in as that role.',
  },
  listen: {
    why: 'The subscription belongs to the server connection, which goes to another client after this transaction: notifications reach whoever holds it, or nobody.',
    instead:
      'One connection of its own for LISTEN, outside the pool and past the pooler, on the direct URL. NOTIFY works through the pooler.',
  },
  'sql-prepare': {
    why: 'The statement exists on one server connection only: the next transaction may get another, where it does not exist (26000), exists already (42P05), or is the statement of another client by the same name.',
    instead:
      "The driver's prepared statements, which PgBouncer follows since 1.21 where max_prepared_statements is not 0; or the plain query with parameters.",
  },
  'with-hold': {
    why: 'After COMMIT the cursor stays on the server connection, which goes to another client: the next FETCH may find no such cursor, and nobody closes this one.',
    instead:
      'A cursor without WITH HOLD, read to its end inside the transaction; or pages by key (WHERE id > $1 ORDER BY id LIMIT n).',
  },
  'temporary-table': {
    why: 'It stays on the server connection, which goes to another client after this transaction: your next statement may not find it, and CREATE fails there for the next one (42P07).',
    instead:
      'CREATE TEMPORARY TABLE ... ON COMMIT DROP inside the one transaction that uses it, a CTE, or an UNLOGGED table.',
  },
  discard: {
    why: 'It resets the server connection that happens to be at hand, which is shared: what others keep there may be lost (prepared statements, where the pooler does not notice), and what you set earlier may be on another one.',
    instead:
      'Nothing that needs a reset: SET LOCAL, ON COMMIT DROP, pg_advisory_xact_lock end with the transaction. Or a direct connection.',
  },
  load: {
    why: 'The library is loaded into one server process only: the next transaction may run in another, without it.',
    instead: 'session_preload_libraries (ALTER ROLE ... SET or postgresql.conf), or shared_preload_libraries.',
  },
}

export function finding(code: Exclude<StatementFindingCode, 'advisory-lock'>, construct: string): StatementFinding {
  return Object.freeze({ code, construct, ...ADVICE[code] })
}

const LOCK_STAYS =
  'The lock belongs to the server connection, which goes to another client after this transaction: it stays locked there, and pg_advisory_unlock on another connection does not release it.'
const UNLOCK_MISSES =
  'It releases locks of the server connection that happens to be at hand, which need not be the one that took them: then they stay.'
const UNLOCKS = ['pg_advisory_unlock', 'pg_advisory_unlock_shared', 'pg_advisory_unlock_all']
const LOCKS = [
  'pg_advisory_lock',
  'pg_advisory_lock_shared',
  'pg_try_advisory_lock',
  'pg_try_advisory_lock_shared',
] as const

/** The functions of https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADVISORY-LOCKS that lock for the session. */
export const ADVISORY_FUNCTIONS: readonly StatementFinding[] = [
  ...LOCKS.map((name) =>
    Object.freeze({
      code: 'advisory-lock' as const,
      construct: name,
      why: LOCK_STAYS,
      instead: `${name.replace('advisory_', 'advisory_xact_')} inside the transaction that needs the lock, or a direct connection that holds it.`,
    }),
  ),
  ...UNLOCKS.map((name) =>
    Object.freeze({
      code: 'advisory-lock' as const,
      construct: name,
      why: UNLOCK_MISSES,
      instead:
        'pg_advisory_xact_lock inside a transaction, whose end releases it; or lock and unlock on the same direct connection.',
    }),
  ),
]
