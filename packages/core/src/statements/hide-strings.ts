import { Tokenizer } from './tokenizer.ts'

/**
 * A statement for people, without its data: strings become `'***'` and comments are left out. Names and numbers stay. Works on
 * the beginning of a statement too, which may end within a string.
 *
 * @example
 * hideStrings("alter role app password 's3cret'") // "alter role app password '***'"
 */
export function hideStrings(statement: string): string {
  const tokens = new Tokenizer(statement)
  let shown = ''
  while (tokens.next()) {
    if (tokens.kind === 'string') shown += "'***'"
    else shown += tokens.kind === 'comment' ? ' ' : statement.slice(tokens.start, tokens.end)
  }
  return shown
}
