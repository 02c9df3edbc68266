import { isFatal, isServerError, readError } from './read-error.ts'

/**
 * What an error of a query says about the connection:
 * - `evict`: a fresh connection would not have it.
 * - `ask`: the session may be read-only by the app's own wish, or because the server is no longer the primary.
 * - `count`: it may be the session's state. One such error proves nothing, several in a row make the pool ask.
 * - `keep`: an ordinary error of a statement or of data, on whichever connection.
 */
export type ErrorVerdict = 'evict' | 'ask' | 'count' | 'keep'

interface EvictionRule {
  readonly code: string
  /** Only these texts. Internal errors are never translated. */
  readonly text?: RegExp
  readonly verdict: 'evict' | 'ask'
  readonly reason: string
}

/** SQLSTATEs after which a connection is not lent again, whoever says so and as which severity. */
export const EVICTION_RULES: readonly EvictionRule[] = [
  { code: '57P01', verdict: 'evict', reason: 'the server ends the session (pg_terminate_backend, a shutdown)' },
  { code: '57P02', verdict: 'evict', reason: 'another process of the server has crashed, and all sessions end' },
  { code: '57P03', verdict: 'evict', reason: 'a pooler has no server for this client at the moment' },
  { code: '57P04', verdict: 'evict', reason: 'the database was dropped' },
  { code: '57P05', verdict: 'evict', reason: 'idle_session_timeout' },
  { code: '25P03', verdict: 'evict', reason: 'idle_in_transaction_session_timeout' },
  { code: '25P04', verdict: 'evict', reason: 'transaction_timeout' },
  { code: '25006', verdict: 'ask', reason: 'the server has become a standby or read-only, as after a failover' },
  { code: '53200', verdict: 'evict', reason: 'out of memory: a fresh backend begins with little' },
  {
    code: 'XX000',
    text: /cache lookup failed for|could not open relation with OID|could not find (?:attribute|type)/i,
    verdict: 'evict',
    reason: 'the session remembers what a migration has replaced',
  },
]

/**
 * Errors that no state of a session can bring about: cardinality, data, constraints, syntax, conflicts between transactions, what an
 * app raises itself, a cancelled query.
 */
const ORDINARY = /^(?:0[23]|2[0-4]|40|42601|44|P0)/

/** 25P02: the transaction had failed before, with an error that was judged. */
const AFTERMATH = '25P02'

/** @param error of a query; one that no server has sent says nothing of the session. */
export function judgeQueryError(error: unknown): ErrorVerdict {
  if (isFatal(error)) return 'evict'
  const { code, message } = readError(error)
  if (!isServerError(error) || code === AFTERMATH || ORDINARY.test(code)) return 'keep'
  const rule = EVICTION_RULES.find((each) => each.code === code && (each.text === undefined || each.text.test(message)))
  return rule?.verdict ?? 'count'
}
