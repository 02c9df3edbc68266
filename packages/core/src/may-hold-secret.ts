/** Longer texts are addresses, keys or whole files. */
const MAX_SHOWN = 40

/** URLs, pairs, encoded texts, quoted texts and keys have one of these; a word or a number has none. */
const MARKER = /[@='"`%\\\p{Cc}\p{Cf}]|:\/|-----/u

/** Tokens and generated passwords: letters and digits mixed, without a break. */
const TOKEN = /(?:^|[^\w-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{12}/

/**
 * Whether a text could be a secret or hold one. A short word, a number, or a few of them, is none.
 *
 * @example
 * mayHoldSecret('rollback') // false
 * mayHoldSecret('postgres://app:s3cret@db') // true
 */
export function mayHoldSecret(text: string): boolean {
  return text.length > MAX_SHOWN || MARKER.test(text) || TOKEN.test(text)
}
