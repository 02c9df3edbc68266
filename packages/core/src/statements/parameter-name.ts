/**
 * Parameters whose changes PgBouncer follows and restores for every client (https://www.pgbouncer.org/features.html,
 * footnote 1). More may be named in its track_extra_parameters.
 */
const TRACKED: ReadonlySet<string> = new Set([
  'application_name',
  'client_encoding',
  'datestyle',
  'intervalstyle',
  'standard_conforming_strings',
  'timezone',
])

/** Parameters that exist for the length of the transaction only, however they are set. */
const OF_TRANSACTION: ReadonlySet<string> = new Set([
  'transaction_deferrable',
  'transaction_isolation',
  'transaction_read_only',
])

const OF_ROLE: ReadonlySet<string> = new Set(['role', 'session_authorization'])

/** Names of parameters are short; anything else in quotes may be a value that went astray. */
const PRINTABLE = /^[a-z_][a-z0-9_$]{0,62}(?:\.[a-z_][a-z0-9_$]{0,62})*$/

/** What setting this parameter for the session amounts to. */
export function kindOfParameter(name: string): 'set' | 'tracked-set' | 'set-role' | 'transaction' {
  if (TRACKED.has(name)) return 'tracked-set'
  if (OF_TRANSACTION.has(name)) return 'transaction'
  return OF_ROLE.has(name) ? 'set-role' : 'set'
}

/** `SET search_path`, or only `SET` where the name does not look like one. */
export function describeParameter(command: 'SET' | 'RESET', name: string): string {
  return PRINTABLE.test(name) ? `${command} ${name}` : command
}
