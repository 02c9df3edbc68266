import { ConnectionString } from './connection-string.ts'
import { ConnectionStringError } from './connection-string-error.ts'
import type { UrlParameter } from './connection-string-parts.ts'
import { normalizeTarget } from './normalize-target.ts'

/** Whether a text is libpq's `name=value` form: it begins with a name and an equals sign. */
export function looksLikeKeywords(text: string): boolean {
  return /^\w+\s*=/.test(text)
}

/**
 * Reads libpq's form `host=db port=5432 dbname=orders password='it\'s'`: blanks may stand round the equals sign, a value
 * with blanks stands in single quotes, a backslash takes the next character as it is.
 *
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE
 */
export function parseKeywords(text: string): ConnectionString {
  const pair = /\s*(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'(?=\s|$)|((?:[^\s'\\]|\\.)(?:[^\s\\]|\\.)*)|(?=\s|$))/gsy
  const parameters: UrlParameter[] = []
  while (pair.lastIndex < text.length) {
    const match = pair.exec(text)
    if (!match) {
      throw new ConnectionStringError(
        'parameters',
        "behind the last name=value that can be read comes something else; put a value with blanks in 'single quotes' and a backslash before a quotation mark",
      )
    }
    parameters.push([match[1] ?? '', (match[2] ?? match[3] ?? '').replaceAll(/\\(.)/gs, '$1')])
  }
  return normalizeTarget(new ConnectionString({ parameters }))
}
