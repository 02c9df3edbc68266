import { describeOption, describeValue } from './describe-value.ts'
import { PoolguardError } from './poolguard-error.ts'

/**
 * An option has an invalid value. Raised at construction. The message names the option and what it takes, and shows the value
 * only if that cannot hold a secret.
 */
export class InvalidOptionError extends PoolguardError {
  static {
    InvalidOptionError.prototype.name = 'InvalidOptionError'
  }

  readonly code = 'POOLGUARD_INVALID_OPTION'
  readonly option: string
  readonly #value: unknown
  readonly #wanted: string

  /** @param wanted what the option takes, as in "a whole number of at least 1" */
  constructor(option: string, value: unknown, wanted: string, options?: ErrorOptions) {
    super(
      `Invalid option ${describeOption(option)}: ${describeValue(option, value)}. It takes ${wanted}${wanted.endsWith('?') ? '' : '.'}`,
      options,
    )
    this.option = describeOption(option)
    this.#value = value
    this.#wanted = wanted
  }

  /** The same, told of an option inside of another one. */
  within(outer: string): InvalidOptionError {
    return new InvalidOptionError(`${outer}.${this.option}`, this.#value, this.#wanted, { cause: this.cause })
  }
}

/**
 * Makes something of an option's value. What is wrong inside of it is told with the name of that option before it.
 *
 * @param outer undefined where the inner options stand by themselves.
 * @example
 * prefixOptionErrors('pools.orders', () => new GuardedPool({ pool: { max: 0 } })) // Invalid option pools.orders.pool.max: 0
 */
export function prefixOptionErrors<T>(outer: string | undefined, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (outer !== undefined && error instanceof InvalidOptionError) throw error.within(outer)
    throw error
  }
}

/** @throws {InvalidOptionError} where the value is not a whole number of at least `least`. */
export function requireInteger(option: string, value: unknown, least: number): asserts value is number {
  if (Number.isSafeInteger(value) && (value as number) >= least) return
  throw new InvalidOptionError(option, value, `a whole number of at least ${least}`)
}

/** @throws {InvalidOptionError} where the value is not a number of milliseconds of at least `least`. */
export function requireDuration(option: string, value: unknown, least = 0): void {
  if (typeof value === 'number' && value >= least) return
  const wanted = least > 0 ? `a number of milliseconds of at least ${least}` : 'a number of milliseconds'
  throw new InvalidOptionError(option, value, `${wanted}, or Infinity`)
}

/** @throws {InvalidOptionError} where the value is given and is none of the choices. */
export function requireOneOf(option: string, value: unknown, choices: readonly string[]): void {
  if (value === undefined || choices.includes(value as string)) return
  throw new InvalidOptionError(option, value, `one of ${choices.map((choice) => `'${choice}'`).join(', ')}`)
}
