/** Sticky, at the beginning of the text. */
const QUERY = /[ \t\r\n]*(?:select|insert|update|delete|with)\b/iy

/**
 * Part of every construct that a query can be reported for: advisory locks, set_config, INTO TEMP. Spelled out, since that
 * takes half the time of the flag `i`.
 */
const SUSPICIOUS = /[aA][dD][vV][iI][sS]|[tT]_[cC][oO][nN]|[tT][eE][mM][pP]/

/**
 * Whether the text is one query in which nothing can be found, so that reading it may be saved. True for nearly all that an ORM
 * sends, at a tenth of the cost (500 characters: 0.25 us instead of 2.5 us), which counts where every text is another, as
 * with values or trace ids in it. False tells nothing.
 */
export function isPlainQuery(text: string): boolean {
  QUERY.lastIndex = 0
  return QUERY.test(text) && !text.includes(';') && !SUSPICIOUS.test(text)
}
