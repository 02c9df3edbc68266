import { redact } from '@poolguard/core/adapter'
import { hideStrings } from '@poolguard/core/postgres'

/** Enough to recognise a statement. */
const MAX_LENGTH = 100

/** The beginning of a statement on one line, without its strings, which may be passwords or personal data. */
export function shortenQuery(query: string): string {
  const line = plainQuery(query)
  return line.length <= MAX_LENGTH ? line : `${line.slice(0, MAX_LENGTH - 3)}...`
}

/** A statement on one line, without its strings. */
export function plainQuery(query: string): string {
  return redact(hideStrings(query)).replaceAll(/\s+/g, ' ').trim()
}
