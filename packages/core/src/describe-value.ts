/** Longer texts are addresses, keys or whole files. */
const MAX_SHOWN = 40

/** What a URL, a pair, an encoded text or a key has, and a word or a number has not. */
const MAY_HOLD_SECRET = /[@='"`%\\\p{Cc}]|:\/|-----/u

/** Options whose value is a secret, whatever it looks like. */
const SECRET_OPTION = /pass|token|secret|key|credential|cert/i

/**
 * Describes the value of an option for an error message, without anything that could be a secret: numbers, switches and short
 * words are shown; of everything else the kind and the length.
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
      return isSecret ? `a ${typeof value}` : String(value)
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

function describeText(text: string, isSecret: boolean): string {
  if (text === '') return "''"
  if (!isSecret && text.length <= MAX_SHOWN && !MAY_HOLD_SECRET.test(text)) return `'${text}'`
  return `a text of ${text.length} characters (not shown)`
}

function describeObject(value: object | null): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (value instanceof Error) return 'an error'
  return 'an object'
}
