import { shownDatabase, shownHost, shownUser } from '../../connection-string/index.ts'
import { mayHoldSecret } from '../../describe-value.ts'
import { inspect } from '../../node-util.ts'
import { HIDDEN } from '../../redact.ts'

/** The drivers' options that contain a secret, or an object with secrets. */
const SECRET_OPTION = /pass|secret|token|key|cert|^ssl$|^pfx$/i

/** Options that are shown if they are plain names. */
const NAMES: Readonly<Record<string, (name: string) => string | undefined>> = {
  host: shownHost,
  user: shownUser,
  database: shownDatabase,
}

/**
 * Hides the secrets in driver options from console.log and JSON.stringify. The methods for that are not enumerable, because drivers
 * copy the fields.
 *
 * @param hidden texts that are hidden in every option.
 */
export function hideSecrets<T extends object>(options: T, hidden: readonly string[] = []): T {
  const shown = (): object => shownOptions(options, hidden)
  Object.defineProperty(options, inspect.custom, { value: shown, enumerable: false, configurable: true })
  Object.defineProperty(options, 'toJSON', { value: shown, enumerable: false, configurable: true })
  return options
}

function shownOptions(options: object, hidden: readonly string[]): object {
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, shownOption(name, value, hidden)]))
}

function shownOption(name: string, value: unknown, hidden: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((each) => shownOption(name, each, hidden))
  if (SECRET_OPTION.test(name)) return shownSecret(value)
  if (typeof value === 'string' && hidden.includes(value)) return HIDDEN
  if (typeof value === 'string') return Object.hasOwn(NAMES, name) ? NAMES[name]?.(value) : shownText(value)
  if (typeof value !== 'object' || value === null) return value
  return isPlain(value) ? shownOptions(value, hidden) : `[${value.constructor?.name ?? 'Object'}]`
}

/** A boolean is not a secret: `ssl: true`. */
function shownSecret(value: unknown): unknown {
  if (typeof value === 'boolean' || value === undefined || value === null) return value
  return typeof value === 'object' ? '{...}' : HIDDEN
}

function shownText(text: string): string {
  return mayHoldSecret(text) ? HIDDEN : text
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
