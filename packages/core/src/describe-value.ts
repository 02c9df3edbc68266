import { HIDDEN } from './redact.ts'
import { UnicodePattern } from './unicode-pattern.ts'

/** Options whose value is always treated as a secret. */
const SECRET_OPTION = /pass|token|secret|key|credential|cert/i

/** Longer numbers are neither sizes nor durations, and may be secrets. */
const MAX_DIGITS = 15

/**
 * Describes the value of an option for an error message without showing a possible secret. Numbers, booleans and short
 * words are shown; of any other value only its kind and length.
 *
 * @example
 * describeValue('pool.max', -1) // '-1'
 * describeValue('url', 'postgres://app:s3cret@db/orders') // 'a text of 31 characters (not shown)'
 */
export function describeValue(option: string, value: unknown): string {
  const isSecret = SECRET_OPTION.test(option)
  switch (typeof value) {
    case 'string':
      return describeText(value, isSecret)
    case 'number':
    case 'bigint':
      return isSecret || String(value).length > MAX_DIGITS ? `a ${typeof value} (not shown)` : String(value)
    case 'boolean':
    case 'undefined':
      return String(value)
    case 'function':
      return 'a function'
    case 'symbol':
      return 'a symbol'
    default:
      return describeObject(value as object | null)
  }
}

/**
 * The name of an option for an error message. A name that the user chose, as in `pools.orders`, or an unknown name may be a
 * misplaced secret, which is hidden.
 */
export function describeOption(option: string): string {
  return option.split('.').map(describeName).join('.')
}

function describeName(name: string): string {
  return mayHoldSecret(name) ? HIDDEN : name
}

function describeText(text: string, isSecret: boolean): string {
  if (text === '') return "''"
  if (!isSecret && !mayHoldSecret(text)) return `'${text}'`
  return `a text of ${text.length} characters (not shown)`
}

function describeObject(value: object | null): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (value instanceof Error) return 'an error'
  return 'an object'
}

/** Longer texts are addresses, keys or whole files. */
const MAX_SHOWN = 40

/** URLs, key-value pairs, encoded texts, quoted texts and keys contain one of these; a word or a number does not. */
const MARKER = new UnicodePattern(String.raw`[@='"\x60%\\\p{Cc}\p{Cf}]|:\/|-----`)

/** Tokens and generated passwords: at least 12 characters with both letters and digits, without a break. */
const TOKEN = /(?:^|[^\w-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{12}/

/**
 * Whether a text could be a secret or contain one. Short words and numbers are not secrets.
 *
 * @example
 * mayHoldSecret('rollback') // false
 * mayHoldSecret('postgres://app:s3cret@db') // true
 */
export function mayHoldSecret(text: string): boolean {
  return text.length > MAX_SHOWN || MARKER.test(text) || TOKEN.test(text)
}
