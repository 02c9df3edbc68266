/** Maximum length of PostgreSQL's type `name` (NAMEDATALEN); a longer text is hardly a key. */
const MAX_TEXT_BYTES = 63
/** A UTF-16 code unit takes at most three bytes in UTF-8. */
const MAX_BYTES_PER_UNIT = 3
const SPACE = 0x20
const ZERO = 0x30
const NINE = 0x39
const HYPHEN = 0x2d
const UUID_LENGTH = 36

/** A whole number from 0 to `max`, in PostgreSQL's output format: `7`, not `007`, `+7` or ` 7`. */
export function isWholeNumber(value: unknown, max: number | bigint): boolean {
  if (typeof value === 'number')
    return Number.isSafeInteger(value) && !Object.is(value, -0) && value >= 0 && value <= max
  if (typeof value === 'bigint') return value >= 0n && value <= max
  if (typeof value !== 'string') return false
  const { length } = value
  if (length === 0 || length > 18 || (length > 1 && value.charCodeAt(0) === ZERO)) return false
  for (let index = 0; index < length; index++) {
    const code = value.charCodeAt(index)
    if (code < ZERO || code > NINE) return false
  }
  return length <= 4 || (length <= 15 ? Number(value) <= max : BigInt(value) <= max)
}

/** A UUID in lower case with hyphens. */
export function isCanonicalUuid(value: unknown): boolean {
  if (typeof value !== 'string' || value.length !== UUID_LENGTH) return false
  for (let index = 0; index < UUID_LENGTH; index++) {
    const code = value.charCodeAt(index)
    const isHyphenExpected = index === 8 || index === 13 || index === 18 || index === 23
    if (isHyphenExpected ? code !== HYPHEN : !isLowerHexDigit(code)) return false
  }
  return true
}

function isLowerHexDigit(code: number): boolean {
  return (code >= ZERO && code <= NINE) || (code >= 0x61 && code <= 0x66)
}

/** A text that the type `name` does not truncate, and without trailing blanks, which `char(n)` ignores. */
export function isPlainText(value: unknown): boolean {
  if (typeof value !== 'string')
    return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean'
  const { length } = value
  if (length > MAX_TEXT_BYTES || value.charCodeAt(length - 1) === SPACE) return false
  return length * MAX_BYTES_PER_UNIT <= MAX_TEXT_BYTES || Buffer.byteLength(value) <= MAX_TEXT_BYTES
}

/** Words that other types accept as input and print differently. */
const READ_BY_OTHERS =
  /^(?:t(?:r(?:ue?)?)?|f(?:a(?:l(?:se?)?)?)?|y(?:es?)?|no?|on|off?|nan|inf(?:inity)?|[0-9a-f]{8}-?[0-9a-f-]{23,})$/i
const BEGINS_WITH_LETTER = /^[a-z]/i

/** A text that no number, boolean or UUID type accepts as input, or that each of them prints unchanged. */
export function isPlainWord(value: unknown): boolean {
  if (typeof value !== 'string') return isWholeNumber(value, Number.MAX_SAFE_INTEGER) || typeof value === 'boolean'
  if (value === 'true' || value === 'false' || isCanonicalUuid(value) || isWholeNumber(value, 32_767)) return true
  return BEGINS_WITH_LETTER.test(value) && !READ_BY_OTHERS.test(value)
}
