import { PoolguardError } from '../poolguard-error.ts'

/** The part of a connection string that could not be read. */
export type ConnectionStringPart = 'scheme' | 'user' | 'password' | 'host' | 'port' | 'database' | 'parameters'

/** A connection string that cannot be read. The message names the part and never shows the string itself. */
export class ConnectionStringError extends PoolguardError {
  readonly code = 'POOLGUARD_CONNECTION_STRING'
  readonly part: ConnectionStringPart

  constructor(part: ConnectionStringPart, problem: string, options?: ErrorOptions) {
    super(
      `Invalid connection string: ${problem}. Write postgresql://user:password@host:5432/database?name=value.`,
      options,
    )
    this.part = part
  }
}
