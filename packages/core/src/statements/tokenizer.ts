import {
  BLANK,
  COLON,
  continuesName,
  DIGIT,
  DOLLAR,
  DOT,
  DOUBLE_QUOTE,
  isDigit,
  LETTER,
  OPERATOR,
  QUOTE,
  typeOf,
} from './character-types.ts'
import { endOfLine } from './line-end.ts'
import { endOfNumber } from './number-end.ts'
import { endOfString } from './string-end.ts'

/** `name` is an identifier in double quotes; `word` one without, keywords included. */
export type TokenKind =
  | 'blank'
  | 'comment'
  | 'word'
  | 'name'
  | 'string'
  | 'number'
  | 'parameter'
  | 'operator'
  | 'punctuation'
  | 'end'

const AMPERSAND = 0x26
const APOSTROPHE = 0x27
const QUOTATION = 0x22
const STAR = 0x2a
const HYPHEN = 0x2d
const SLASH = 0x2f

/**
 * Splits a text into tokens by the lexical rules of PostgreSQL, with standard_conforming_strings on
 * (https://www.postgresql.org/docs/current/sql-syntax-lexical.html). The tokenizer itself is the current token: `next()` moves on and
 * allocates nothing. Tokens follow each other without gaps; an unterminated token extends to the end of the text. Never throws.
 *
 * An operator is the longest run of operator characters; PostgreSQL's rule for a trailing `+` or `-` is not implemented.
 *
 * @example
 * const tokens = new Tokenizer('SET a = 1')
 * while (tokens.next()) console.log(tokens.kind, tokens.start, tokens.end) // word 0 3, blank 3 4, word 4 5, ...
 */
export class Tokenizer {
  readonly text: string
  kind: TokenKind = 'blank'
  start = 0
  end = 0

  constructor(text: string) {
    this.text = text
  }

  /** Moves to the next token; false when there is none. */
  next(): boolean {
    const { text } = this
    this.start = this.end
    if (this.start >= text.length) {
      this.kind = 'end'
      return false
    }
    this.end = this.#scan(text.charCodeAt(this.start))
    return true
  }

  /** Skips the rest of the text. */
  finish(): void {
    this.end = this.text.length
    this.start = this.end
    this.kind = 'end'
  }

  /**
   * Whether the token is this word, given in lower case. Folds only ASCII, like PostgreSQL: unlike with `toLowerCase`, the
   * Kelvin sign is not a k.
   */
  isWord(word: string): boolean {
    const { start } = this
    if (this.kind !== 'word' || this.end - start !== word.length) return false
    for (let index = 0; index < word.length; index++) {
      const code = this.text.charCodeAt(start + index)
      const folded = code >= 65 && code <= 90 ? code + 32 : code
      if (folded !== word.charCodeAt(index)) return false
    }
    return true
  }

  /** Whether the token is an identifier that means this name, given in lower case: `Name` and `"name"`, not `"Name"`. */
  isIdentifier(name: string): boolean {
    if (this.kind !== 'name') return this.isWord(name)
    return this.end - this.start === name.length + 2 && this.text.startsWith(name, this.start + 1)
  }

  isPunctuation(character: string): boolean {
    return this.kind === 'punctuation' && this.end - this.start === 1 && this.text.startsWith(character, this.start)
  }

  /** Sets the kind of the token that begins with this character, and returns its end. */
  #scan(code: number): number {
    const { text, start } = this
    switch (typeOf(code)) {
      case LETTER:
        return this.#letter(code)
      case BLANK:
        return this.#blank()
      case DIGIT:
        return this.#token('number', endOfNumber(text, start))
      case OPERATOR:
        return this.#operatorOrComment(code)
      case QUOTE:
        return this.#token('string', endOfString(text, start, 'plain'))
      case DOUBLE_QUOTE:
        return this.#token('name', endOfName(text, start))
      case DOLLAR:
        return this.#dollar()
      case DOT:
        if (isDigit(text.charCodeAt(start + 1))) return this.#token('number', endOfNumber(text, start))
        return this.#token('punctuation', text.startsWith('..', start) ? start + 2 : start + 1)
      case COLON:
        if (text.startsWith('::', start) || text.startsWith(':=', start)) return this.#token('operator', start + 2)
    }
    return this.#token('punctuation', start + 1)
  }

  #token(kind: TokenKind, end: number): number {
    this.kind = kind
    return end
  }

  #blank(): number {
    const { text } = this
    let end = this.start + 1
    while (typeOf(text.charCodeAt(end)) === BLANK) end++
    return this.#token('blank', end)
  }

  /** A word, or the prefix of a string: E'' B'' X'' U&'' U&"". In N'', the N is a word (NCHAR) in PostgreSQL, too. */
  #letter(code: number): number {
    const { text, start } = this
    const following = text.charCodeAt(start + 1)
    if (following === APOSTROPHE) {
      const prefix = code | 0x20
      if (prefix === 0x65) return this.#token('string', endOfString(text, start + 1, 'escaped'))
      if (prefix === 0x62 || prefix === 0x78) return this.#token('string', endOfString(text, start + 1, 'bits'))
    } else if (following === AMPERSAND && (code | 0x20) === 0x75) {
      const quote = text.charCodeAt(start + 2)
      if (quote === APOSTROPHE) return this.#token('string', endOfString(text, start + 2, 'plain'))
      if (quote === QUOTATION) return this.#token('name', endOfName(text, start + 2))
    }
    let end = start + 1
    while (end < text.length && continuesName(text.charCodeAt(end))) end++
    return this.#token('word', end)
  }

  #operatorOrComment(first: number): number {
    const { text, start } = this
    const second = text.charCodeAt(start + 1)
    if (first === HYPHEN && second === HYPHEN) return this.#token('comment', endOfLine(text, start + 2))
    if (first === SLASH && second === STAR) return this.#token('comment', endOfBlockComment(text, start))
    let end = start + 1
    for (let code = second; typeOf(code) === OPERATOR; code = text.charCodeAt(end)) {
      const following = text.charCodeAt(end + 1)
      if ((code === HYPHEN && following === HYPHEN) || (code === SLASH && following === STAR)) break
      end++
    }
    return this.#token('operator', end)
  }

  /** `$1`, `$$..$$`, `$tag$..$tag$`, or a dollar without a meaning. */
  #dollar(): number {
    const { text, start } = this
    let end = start + 1
    if (isDigit(text.charCodeAt(end))) {
      while (isDigit(text.charCodeAt(end))) end++
      return this.#token('parameter', end)
    }
    while (end < text.length && typeOf(text.charCodeAt(end)) !== DOLLAR && continuesName(text.charCodeAt(end))) end++
    if (typeOf(text.charCodeAt(end)) !== DOLLAR) return this.#token('punctuation', start + 1)
    const delimiter = text.slice(start, end + 1)
    const closing = text.indexOf(delimiter, end + 1)
    return this.#token('string', closing < 0 ? text.length : closing + delimiter.length)
  }
}

function endOfName(text: string, quote: number): number {
  let closing = text.indexOf('"', quote + 1)
  while (closing >= 0 && text.charCodeAt(closing + 1) === QUOTATION) closing = text.indexOf('"', closing + 2)
  return closing < 0 ? text.length : closing + 1
}

function endOfBlockComment(text: string, start: number): number {
  let depth = 1
  for (let index = start + 2; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code !== SLASH && code !== STAR) continue
    const following = text.charCodeAt(index + 1)
    if (code === SLASH && following === STAR) {
      depth++
      index++
    } else if (code === STAR && following === SLASH) {
      depth--
      index++
      if (depth === 0) return index + 1
    }
  }
  return text.length
}
