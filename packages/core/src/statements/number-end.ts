import { isDigit } from './character-types.ts'

const DOT = 0x2e
const UNDERSCORE = 0x5f

/**
 * The end of the number at `start`, which is a digit or a dot before one: `1`, `1_000`, `1.5`, `.5`, `1.`, `1e-3`,
 * `0xff`, `0o17`, `0b01`. In `1..2` the number is the first digit.
 */
export function endOfNumber(text: string, start: number): number {
  const radix = text.charCodeAt(start) === 0x30 ? digitsOfRadix(text.charCodeAt(start + 1)) : undefined
  if (radix) {
    const end = endOfDigits(text, start + 2, radix)
    if (end > start + 2) return end
  }
  let end = endOfDigits(text, start, isDigit)
  if (text.charCodeAt(end) === DOT && text.charCodeAt(end + 1) !== DOT) end = endOfDigits(text, end + 1, isDigit)
  return endOfExponent(text, end)
}

function endOfExponent(text: string, at: number): number {
  if ((text.charCodeAt(at) | 0x20) !== 0x65) return at
  const sign = text.charCodeAt(at + 1)
  const digits = sign === 0x2b || sign === 0x2d ? at + 2 : at + 1
  return isDigit(text.charCodeAt(digits)) ? endOfDigits(text, digits, isDigit) : at
}

/** Single underscores between digits are part of the number, and so is one after a radix prefix: `0x_ff`. */
function endOfDigits(text: string, from: number, isOne: (code: number) => boolean): number {
  let end = from
  for (;;) {
    const code = text.charCodeAt(end)
    if (isOne(code)) end++
    else if (code === UNDERSCORE && isOne(text.charCodeAt(end + 1))) end += 2
    else return end
  }
}

function digitsOfRadix(letter: number): ((code: number) => boolean) | undefined {
  const folded = letter | 0x20
  if (folded === 0x78) return isHexDigit
  if (folded === 0x6f) return isOctalDigit
  if (folded === 0x62) return isBinaryDigit
  return undefined
}

function isHexDigit(code: number): boolean {
  const folded = code | 0x20
  return isDigit(code) || (folded >= 0x61 && folded <= 0x66)
}

function isOctalDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x37
}

function isBinaryDigit(code: number): boolean {
  return code === 0x30 || code === 0x31
}
