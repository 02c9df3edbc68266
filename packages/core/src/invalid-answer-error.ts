import { PoolguardError } from './poolguard-error.ts'

/**
 * A server or a pooler has answered with a value that cannot be true: a column is missing, a number is out of range, a text
 * stands where a number belongs. The message names the query, the column and the kind of the value, never the value itself.
 */
export class InvalidAnswerError extends PoolguardError {
  static {
    InvalidAnswerError.prototype.name = 'InvalidAnswerError'
  }

  readonly code = 'POOLGUARD_INVALID_ANSWER'
  /** What is wrong, as part of a sentence. */
  readonly problem: string

  /**
   * @param source what was asked, as in "SHOW CONFIG"
   * @param problem as in '"max_client_conn" is null instead of a whole number'
   */
  constructor(source: string, problem: string) {
    super(
      `The answer to ${source} is invalid: ${problem}. ` +
        'Check what answers at this address: a proxy or a server that is not PostgreSQL may not support the query.',
    )
    this.problem = `the answer to ${source} is invalid (${problem})`
  }
}
