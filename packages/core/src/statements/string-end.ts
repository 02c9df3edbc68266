import { BLANK, typeOf } from './character-types.ts'
import { endOfLine } from './line-end.ts'

/** How an apostrophe gets into the string: `''`; that, or `\'`; not at all. */
export type StringRules = 'plain' | 'escaped' | 'bits'

const APOSTROPHE = 0x27
const BACKSLASH = 0x5c
const HYPHEN = 0x2d

/** Where the string ends whose opening apostrophe stands at `quote`, the parts on following lines included. */
export function endOfString(text: string, quote: number, rules: StringRules): number {
  for (let opening = quote; ; ) {
    const end = endOfPart(text, opening, rules)
    const next = nextPart(text, end)
    if (next === undefined) return end
    opening = next
  }
}

function endOfPart(text: string, opening: number, rules: StringRules): number {
  if (rules === 'escaped') return endOfEscaped(text, opening)
  let closing = text.indexOf("'", opening + 1)
  if (rules === 'plain') {
    while (closing >= 0 && text.charCodeAt(closing + 1) === APOSTROPHE) closing = text.indexOf("'", closing + 2)
  }
  return closing < 0 ? text.length : closing + 1
}

function endOfEscaped(text: string, opening: number): number {
  for (let index = opening + 1; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === BACKSLASH) index++
    else if (code === APOSTROPHE) {
      if (text.charCodeAt(index + 1) !== APOSTROPHE) return index + 1
      index++
    }
  }
  return text.length
}

/**
 * Strings with nothing between them but blanks, at least one line break and comments to the end of a line are one string, by
 * the rules of the first: in `E'a'\n'b\'c'` the backslash still counts.
 */
function nextPart(text: string, from: number): number | undefined {
  let broken = false
  for (let index = from; index < text.length; ) {
    const code = text.charCodeAt(index)
    if (code === APOSTROPHE) return broken ? index : undefined
    if (typeOf(code) === BLANK) {
      broken ||= code === 0x0a || code === 0x0d
      index++
    } else if (code === HYPHEN && text.charCodeAt(index + 1) === HYPHEN) index = endOfLine(text, index)
    else return undefined
  }
  return undefined
}
