import { PoolguardError } from '../poolguard-error.ts'

/** The invalid part of a connection string. */
export type ConnectionStringPart = 'scheme' | 'user' | 'password' | 'host' | 'port' | 'database' | 'parameters'

/** Options of a {@link ConnectionStringError}. */
export interface ConnectionStringErrorOptions extends ErrorOptions {
  /** Where the string comes from, such as the name of an environment variable. */
  readonly source?: string | undefined
}

/** An invalid connection string. The message names the invalid part and never shows the string itself. */
export class ConnectionStringError extends PoolguardError {
  static {
    ConnectionStringError.prototype.name = 'ConnectionStringError'
  }

  readonly code = 'POOLGUARD_CONNECTION_STRING'
  readonly part: ConnectionStringPart
  /** The problem alone, without the advice. */
  readonly problem: string

  constructor(part: ConnectionStringPart, problem: string, options: ConnectionStringErrorOptions = {}) {
    const { source, ...errorOptions } = options
    super(
      `Invalid connection string${source === undefined ? '' : ` in ${source}`}: ${problem}. Write postgresql://user:password@host:5432/database?name=value.`,
      errorOptions,
    )
    this.part = part
    this.problem = problem
  }
}
