import { Tokenizer } from './tokenizer.ts'

const MAX_SHOWN_CHARACTERS = 500

/**
 * Formats a statement for a log line: on one line, without comments, at most 500 characters long, and with `?` in place of every
 * string and number. Parameters are shown by number.
 *
 * @example
 * showStatement("select *\n from t where name = 'Ada' and id = $1") // 'select * from t where name = ? and id = $1'
 */
export function showStatement(text: string): string {
  const tokens = new Tokenizer(text)
  let shown = ''
  while (tokens.next()) {
    if (tokens.kind === 'blank' || tokens.kind === 'comment') shown += shown === '' || shown.endsWith(' ') ? '' : ' '
    else if (tokens.kind === 'string' || tokens.kind === 'number') shown += '?'
    else shown += text.slice(tokens.start, tokens.end)
    if (shown.length > MAX_SHOWN_CHARACTERS) return `${shown.slice(0, MAX_SHOWN_CHARACTERS - 1)}\u2026`
  }
  return shown.trimEnd()
}
