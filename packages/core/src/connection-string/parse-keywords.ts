import { ConnectionString } from './connection-string.ts'
import { ConnectionStringError } from './connection-string-error.ts'
import type { UrlParameter } from './connection-string-parts.ts'
import { normalizeTarget } from './normalize-target.ts'

/** Whether a text has libpq's `name=value` form: it starts with a name and an equals sign. */
export function looksLikeKeywords(text: string): boolean {
  return /^\w+\s*=/.test(text)
}

/**
 * Parses libpq's form `host=db port=5432 dbname=orders password='it\'s'`: spaces around the equals sign are allowed, a value with
 * spaces needs single quotes, and a backslash escapes the next character. Only ASCII blanks are spaces.
 *
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE
 */
export function parseKeywords(text: string): ConnectionString {
  const pair =
    /(\w+)[ \t\n\v\f\r]*=[ \t\n\v\f\r]*(?:'((?:[^'\\]|\\.)*)'|((?:[^ \t\n\v\f\r'\\]|\\.)(?:[^ \t\n\v\f\r\\]|\\.)*)|$)[ \t\n\v\f\r]*/gsy
  const parameters: UrlParameter[] = []
  while (pair.lastIndex < text.length) {
    const match = pair.exec(text)
    if (!match) {
      throw new ConnectionStringError(
        'parameters',
        "text that is not name=value follows the last valid pair; put a value with spaces in 'single quotes', and escape a single quote with a backslash",
      )
    }
    parameters.push([match[1] ?? '', (match[2] ?? match[3] ?? '').replaceAll(/\\(.)/gs, '$1')])
  }
  return normalizeTarget(new ConnectionString({ parameters }))
}
