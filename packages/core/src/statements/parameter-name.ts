/**
 * Parameters whose changes PgBouncer tracks and restores for every client (https://www.pgbouncer.org/features.html,
 * footnote 1). Its setting track_extra_parameters can add more.
 */
const TRACKED: ReadonlySet<string> = new Set([
  'application_name',
  'client_encoding',
  'datestyle',
  'intervalstyle',
  'standard_conforming_strings',
  'timezone',
])

/** Parameters that always apply to the current transaction only. */
const OF_TRANSACTION: ReadonlySet<string> = new Set([
  'transaction_deferrable',
  'transaction_isolation',
  'transaction_read_only',
])

const OF_ROLE: ReadonlySet<string> = new Set(['role', 'session_authorization'])

/** Names of parameters are short; any other quoted text may be a misplaced value, and is not shown. */
const PRINTABLE = /^[a-z_][a-z0-9_$]{0,62}(?:\.[a-z_][a-z0-9_$]{0,62})*$/

/** The kind of finding for a SET of this parameter. */
export function kindOfParameter(name: string): 'set' | 'tracked-set' | 'set-role' | 'transaction' {
  if (TRACKED.has(name)) return 'tracked-set'
  if (OF_TRANSACTION.has(name)) return 'transaction'
  return OF_ROLE.has(name) ? 'set-role' : 'set'
}

/** `SET search_path`, or only `SET` if the name does not look like a parameter's. */
export function describeParameter(command: 'SET' | 'RESET', name: string): string {
  return PRINTABLE.test(name) ? `${command} ${name}` : command
}
