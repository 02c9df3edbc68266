/** Sticky, at the beginning of the text. */
const QUERY = /[ \t\r\n]*(?:select|insert|update|delete|with)\b/iy

/**
 * Every construct that can be reported for a query contains one of these: advisory locks, set_config, INTO TEMP. Upper and lower
 * case spelled out, which takes half the time of the flag `i`.
 */
const SUSPICIOUS = /[aA][dD][vV][iI][sS]|[tT]_[cC][oO][nN]|[tT][eE][mM][pP]/

/**
 * Whether the text is a single query that cannot have findings, so that it need not be read. True for nearly all texts of an ORM,
 * at a tenth of the cost of reading (500 characters: 0.25 us instead of 2.5 us). This matters if every text is different, for example
 * because of values or trace ids. False means that the text must be read.
 */
export function isPlainQuery(text: string): boolean {
  QUERY.lastIndex = 0
  return QUERY.test(text) && !text.includes(';') && !SUSPICIOUS.test(text)
}
