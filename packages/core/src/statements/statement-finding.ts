/**
 * The kinds of constructs that depend on the session:
 *
 * - `set`: `SET`, `RESET`, `set_config(.., .., false)`
 * - `tracked-set`: `SET` and `RESET` of a parameter that PgBouncer keeps per client; other poolers may not
 * - `set-role`: `SET ROLE`, `SET SESSION AUTHORIZATION` and their `RESET`
 * - `listen`: `LISTEN`, `UNLISTEN`
 * - `sql-prepare`: `PREPARE`, `EXECUTE`, `DEALLOCATE` in SQL, not prepared statements of the protocol
 * - `advisory-lock`: session-level advisory locks, not transaction-level ones
 * - `with-hold`: cursors `WITH HOLD`
 * - `temporary-table`: temporary tables, views and sequences that outlive the transaction
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

/** A construct in a SQL text that depends on the session, which a pooler in transaction or statement mode does not keep. */
export interface StatementFinding {
  readonly code: StatementFindingCode
  /** The construct in canonical spelling: `SET search_path`. Never a value or a literal, and no name other than a parameter's. */
  readonly construct: string
  /** Why it fails behind such a pooler. */
  readonly why: string
  /** What to write instead. */
  readonly instead: string
}

type Advice = Pick<StatementFinding, 'why' | 'instead'>

const ADVICE: Readonly<Record<Exclude<StatementFindingCode, 'advisory-lock'>, Advice>> = {
  set: {
    why: 'The setting stays on the server connection, which goes to another client after this transaction: your next statement runs without it, and other clients run with it.',
    instead:
      'SET LOCAL (or set_config with true) inside the transaction that needs it, or ALTER ROLE ... SET for every connection of the role.',
  },
  'tracked-set': {
    why: 'PgBouncer restores this parameter for every client. Other poolers in transaction mode may leave it on the server connection for the next client.',
    instead: 'The same parameter in the connection string, ALTER ROLE ... SET, or SET LOCAL inside a transaction.',
  },
  'set-role': {
    why: 'The role stays on the server connection, which goes to another client after this transaction: your next statement runs with the rights of the login role, and other clients run with the rights of this role.',
    instead: 'SET LOCAL ROLE inside the transaction that needs it, or a separate pool that logs in as that role.',
  },
  listen: {
    why: 'The subscription belongs to the server connection, which goes to another client after this transaction: notifications reach whichever client holds it, or none.',
    instead:
      'A dedicated connection for LISTEN, outside the pool, with the direct URL that bypasses the pooler. NOTIFY works through the pooler.',
  },
  'sql-prepare': {
    why: 'The statement exists on one server connection only: the next transaction may get another one, where the statement does not exist (26000), exists already (42P05), or belongs to another client.',
    instead:
      "The driver's prepared statements, which PgBouncer 1.21 and later supports if max_prepared_statements is above 0; or the plain query with parameters.",
  },
  'with-hold': {
    why: 'After COMMIT the cursor stays on the server connection, which goes to another client: the next FETCH may not find the cursor, and this one stays open.',
    instead:
      'A cursor without WITH HOLD that is read to its end inside the transaction; or pages by key (WHERE id > $1 ORDER BY id LIMIT n).',
  },
  'temporary-table': {
    why: 'The table stays on the server connection, which goes to another client after this transaction: your next statement may not find it, and CREATE fails for the next client there (42P07).',
    instead:
      'CREATE TEMPORARY TABLE ... ON COMMIT DROP inside the one transaction that uses it, a CTE, or an UNLOGGED table.',
  },
  discard: {
    why: 'It resets whichever server connection runs it, which other clients share: they may lose their prepared statements without the pooler noticing, and your own earlier settings may be on another server connection.',
    instead:
      'Constructs that need no reset because they end with the transaction: SET LOCAL, ON COMMIT DROP, pg_advisory_xact_lock. Or a direct connection.',
  },
  load: {
    why: 'The library is loaded into one server process only: the next transaction may run in another one, without the library.',
    instead: 'session_preload_libraries (ALTER ROLE ... SET or postgresql.conf), or shared_preload_libraries.',
  },
}

export function finding(code: Exclude<StatementFindingCode, 'advisory-lock'>, construct: string): StatementFinding {
  return Object.freeze({ code, construct, ...ADVICE[code] })
}

const LOCK_STAYS =
  'The lock belongs to the server connection, which goes to another client after this transaction: the lock stays there, and pg_advisory_unlock on another connection does not release it.'
const UNLOCK_MISSES =
  'It releases the locks of whichever server connection runs it. If another server connection took the locks, they stay.'
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
        'pg_advisory_xact_lock inside a transaction, whose end releases the lock; or lock and unlock on the same direct connection.',
    }),
  ),
]
