import type { Word } from './container.ts'
import type { FileValue } from './file-value.ts'

/** Two quoted forms, or characters without blanks; a backslash before a blank or a quote takes it literally. */
const WORD = /(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'\\])+/gs

/**
 * The words of a command. A string is split as a shell splits it, so that `#` does not begin a comment: docker compose and
 * Docker pass it on as an argument.
 */
export function readWords(value: FileValue): readonly Word[] {
  if (value.items.length > 0)
    return value.items.flatMap(({ text, place }) => (text === undefined ? [] : [{ text, place }]))
  return (value.text?.match(WORD) ?? []).map((word) => ({ text: unquote(word), place: value.place }))
}

function unquote(word: string): string {
  return word.replaceAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/gs, (_all, double, single, escaped) =>
    double !== undefined ? double.replaceAll(/\\(["\\$`])/g, '$1') : (single ?? escaped),
  )
}
