/** Longer texts are addresses, keys or whole files. */
const MAX_SHOWN = 40

/** URLs, key-value pairs, encoded texts, quoted texts and keys contain one of these; a word or a number does not. */
const MARKER = /[@='"`%\\\p{Cc}\p{Cf}]|:\/|-----/u

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
