/** The class of a character at the beginning of a token. Zero: a token of its own. */
export const BLANK = 1
export const LETTER = 2
export const DIGIT = 3
export const OPERATOR = 4
export const QUOTE = 5
export const DOUBLE_QUOTE = 6
export const DOLLAR = 7
export const DOT = 8
export const COLON = 9

const TYPES = new Uint8Array(128)

function assign(type: number, characters: string): void {
  for (const character of characters) TYPES[character.charCodeAt(0)] = type
}

assign(BLANK, ' \t\n\r\f\v')
assign(LETTER, 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_')
assign(DIGIT, '0123456789')
assign(OPERATOR, '+-*/<>=~!@#%^&|`?')
assign(QUOTE, "'")
assign(DOUBLE_QUOTE, '"')
assign(DOLLAR, '$')
assign(DOT, '.')
assign(COLON, ':')

/** PostgreSQL treats every character beyond ASCII as a letter, even a Unicode blank. */
export function typeOf(code: number): number {
  return code < 128 ? (TYPES[code] as number) : LETTER
}

/** Whether a name can continue with this character. The same holds for the tag of a dollar quote, except for the dollar. */
export function continuesName(code: number): boolean {
  const type = typeOf(code)
  return type === LETTER || type === DIGIT || type === DOLLAR
}

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}
