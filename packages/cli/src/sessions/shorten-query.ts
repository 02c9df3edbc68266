import { redact } from '@poolguard/core'

/** Enough to recognise a statement. */
const MAX_LENGTH = 100

/** The beginning of a statement, on one line, without secrets. */
export function shortenQuery(query: string): string {
  const line = redact(query).replaceAll(/\s+/g, ' ').trim()
  return line.length <= MAX_LENGTH ? line : `${line.slice(0, MAX_LENGTH - 3)}...`
}
