import { BLANK, typeOf } from './character-types.ts'
import { endOfLine } from './line-end.ts'

/** How a string escapes an apostrophe: `plain` with `''`, `escaped` also with `\'`, `bits` not at all. */
export type StringRules = 'plain' | 'escaped' | 'bits'

const APOSTROPHE = 0x27
const BACKSLASH = 0x5c
const HYPHEN = 0x2d

/** The end of the string whose opening apostrophe is at `quote`, including its parts on following lines. */
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
 * Strings that are separated only by blanks, with at least one line break, and line comments are one string, with
 * the rules of the first part: in `E'a'\n'b\'c'` the backslash escapes.
 */
function nextPart(text: string, from: number): number | undefined {
  let hasLineBreak = false
  for (let index = from; index < text.length; ) {
    const code = text.charCodeAt(index)
    if (code === APOSTROPHE) return hasLineBreak ? index : undefined
    if (typeOf(code) === BLANK) {
      hasLineBreak ||= code === 0x0a || code === 0x0d
      index++
    } else if (code === HYPHEN && text.charCodeAt(index + 1) === HYPHEN) index = endOfLine(text, index)
    else return undefined
  }
  return undefined
}
