import { isFatal, isServerError, readError } from './read-error.ts'

/**
 * The meaning of a query's error for its connection:
 * - `evict`: a new connection would not have this error.
 * - `check`: the app may have made the session read-only, or the server may no longer be the primary: check the session.
 * - `count`: the session's state may be the cause. One such error proves nothing; after several in a row the pool checks the
 *   session.
 * - `keep`: an ordinary error of a statement or of data, which any connection could have.
 */
export type ErrorVerdict = 'evict' | 'check' | 'count' | 'keep'

interface EvictionRule {
  readonly code: string
  /** Restricts the rule to messages that match. The server never translates internal errors. */
  readonly text?: RegExp
  readonly verdict: 'evict' | 'check'
  readonly reason: string
}

/** SQLSTATEs after which the pool evicts a connection, from a server or a pooler and with any severity. */
export const EVICTION_RULES: readonly EvictionRule[] = [
  { code: '57P01', verdict: 'evict', reason: 'the server terminated the session (pg_terminate_backend or a shutdown)' },
  { code: '57P02', verdict: 'evict', reason: 'another server process crashed, and the server terminated all sessions' },
  { code: '57P03', verdict: 'evict', reason: 'a pooler currently has no server for this client' },
  { code: '57P04', verdict: 'evict', reason: 'the database was dropped' },
  { code: '57P05', verdict: 'evict', reason: 'idle_session_timeout' },
  { code: '25P03', verdict: 'evict', reason: 'idle_in_transaction_session_timeout' },
  { code: '25P04', verdict: 'evict', reason: 'transaction_timeout' },
  { code: '25006', verdict: 'check', reason: 'the server has become a standby or read-only, as after a failover' },
  { code: '53200', verdict: 'evict', reason: 'out of memory: a new backend starts with little memory' },
  {
    code: 'XX000',
    text: /cache lookup failed for|could not open relation with OID|could not find (?:attribute|type)/i,
    verdict: 'evict',
    reason: 'the session has cached objects that a migration has replaced',
  },
]

/**
 * Errors that no session state can cause: cardinality, data, constraints, syntax, conflicts between transactions, exceptions
 * raised by the app, and a cancelled query.
 */
const ORDINARY = /^(?:0[23]|2[0-4]|40|42601|44|P0)/

/** 25P02: the transaction had already failed with an error that has been judged. */
const AFTERMATH = '25P02'

/** @param error the error of a query. An error that no server has sent proves nothing about the session. */
export function judgeQueryError(error: unknown): ErrorVerdict {
  if (isFatal(error)) return 'evict'
  const { code, message } = readError(error)
  if (!isServerError(error) || code === AFTERMATH || ORDINARY.test(code)) return 'keep'
  const rule = EVICTION_RULES.find((each) => each.code === code && (each.text === undefined || each.text.test(message)))
  return rule?.verdict ?? 'count'
}
