import { describeOption, describeValue } from './describe-value.ts'
import { PoolguardError } from './poolguard-error.ts'

/**
 * An option has an invalid value. Thrown at construction. The message names the option and the values it takes. It shows the
 * invalid value only if that cannot contain a secret.
 */
export class InvalidOptionError extends PoolguardError {
  static {
    InvalidOptionError.prototype.name = 'InvalidOptionError'
  }

  readonly code = 'POOLGUARD_INVALID_OPTION'
  readonly option: string
  readonly #value: unknown
  readonly #wanted: string

  /** @param wanted the values that the option takes, for example "a whole number of at least 1" */
  constructor(option: string, value: unknown, wanted: string, options?: ErrorOptions) {
    super(
      `Invalid option ${describeOption(option)}: ${describeValue(option, value)}. It takes ${wanted}${wanted.endsWith('?') ? '' : '.'}`,
      options,
    )
    this.option = describeOption(option)
    this.#value = value
    this.#wanted = wanted
  }

  /** The same error for a nested option: its name gets the prefix `outer`. */
  within(outer: string): InvalidOptionError {
    return new InvalidOptionError(`${outer}.${this.option}`, this.#value, this.#wanted, { cause: this.cause })
  }
}

/**
 * Runs `make`. If it throws an {@link InvalidOptionError}, the option's name gets the prefix `outer`.
 *
 * @param outer the name of the enclosing option; undefined for top-level options.
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

/** @throws {InvalidOptionError} if the value is not a whole number of at least `least`. */
export function requireInteger(option: string, value: unknown, least: number): asserts value is number {
  if (Number.isSafeInteger(value) && (value as number) >= least) return
  throw new InvalidOptionError(option, value, `a whole number of at least ${least}`)
}

/** @throws {InvalidOptionError} if the value is not a number of milliseconds of at least `least`. */
export function requireDuration(option: string, value: unknown, least = 0): void {
  if (typeof value === 'number' && value >= least) return
  const wanted = least > 0 ? `a number of milliseconds of at least ${least}` : 'a number of milliseconds'
  throw new InvalidOptionError(option, value, `${wanted}, or Infinity`)
}

/** @throws {InvalidOptionError} if the value is defined and is not one of the choices. */
export function requireOneOf(option: string, value: unknown, choices: readonly string[]): void {
  if (value === undefined || choices.includes(value as string)) return
  throw new InvalidOptionError(option, value, `one of ${choices.map((choice) => `'${choice}'`).join(', ')}`)
}
