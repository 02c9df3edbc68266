import { PoolguardError } from './poolguard-error.ts'

/**
 * A server or a pooler has sent an invalid answer: a column is missing, a number is out of range, or a column has a text instead
 * of a number. The message names the query, the column and the kind of the value, never the value itself.
 */
export class InvalidAnswerError extends PoolguardError {
  static {
    InvalidAnswerError.prototype.name = 'InvalidAnswerError'
  }

  readonly code = 'POOLGUARD_INVALID_ANSWER'
  /** The problem, as part of a sentence. */
  readonly problem: string

  /**
   * @param source the query, for example "SHOW CONFIG"
   * @param problem for example '"max_client_conn" is null instead of a whole number'
   */
  constructor(source: string, problem: string) {
    super(
      `The answer to ${source} is invalid: ${problem}. ` +
        'Check which server listens at this address: a proxy, or a server other than PostgreSQL, may not support the query.',
    )
    this.problem = `the answer to ${source} is invalid (${problem})`
  }
}
