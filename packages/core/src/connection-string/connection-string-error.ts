import { PoolguardError } from '../poolguard-error.ts'

/** The part of a connection string that could not be read. */
export type ConnectionStringPart = 'scheme' | 'user' | 'password' | 'host' | 'port' | 'database' | 'parameters'

/** What may be added to a {@link ConnectionStringError}. */
export interface ConnectionStringErrorOptions extends ErrorOptions {
  /** Where the string stood, such as the name of an environment variable. */
  readonly source?: string | undefined
}

/** A connection string that cannot be read. The message names the part and never shows the string itself. */
export class ConnectionStringError extends PoolguardError {
  static {
    ConnectionStringError.prototype.name = 'ConnectionStringError'
  }

  readonly code = 'POOLGUARD_CONNECTION_STRING'
  readonly part: ConnectionStringPart
  /** The problem alone, without the advice around it. */
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
