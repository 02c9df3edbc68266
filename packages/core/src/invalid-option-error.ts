import { inspect } from 'node:util'
import { redact } from './connection-string/redact.ts'
import { PoolguardError } from './poolguard-error.ts'

/** An option has a value that cannot be meant. Raised at construction; the message names the option and the value. */
export class InvalidOptionError extends PoolguardError {
  readonly code = 'POOLGUARD_INVALID_OPTION'
  readonly option: string

  /** @param wanted what the option takes, as in "a whole number of at least 1" */
  constructor(option: string, value: unknown, wanted: string) {
    super(`${redact(`Invalid option ${option}: ${inspect(value, { depth: 0 })}`)}. It takes ${wanted}.`)
    this.option = option
  }
}
