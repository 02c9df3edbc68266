import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CountingText } from './testing/counting-text.ts'
import { sqlSoup } from './testing/sql-soup.ts'
import { tokensOf } from './testing/tokens-of.ts'
import { Tokenizer, type TokenKind } from './tokenizer.ts'

/** The rows list all tokens except single spaces. */
function significant(text: string): string[] {
  return tokensOf(text)
    .filter(([, token]) => token !== ' ')
    .map(([kind, token]) => `${kind} ${token}`)
}

describe('one token', () => {
  test.each<[kind: TokenKind, text: string]>([
    ['blank', ' \t\n\r\f\v'],
    ['comment', '-- set x = 1'],
    ['comment', '--'],
    ['comment', '/* a */'],
    ['comment', '/**/'],
    ['comment', '/***/'],
    ['comment', '/* a /* b */ c */'],
    ['comment', '/*/* **/*/'],
    ['comment', '/* a /* b */ not closed'],
    ['comment', '/*/'],
    ['word', 'select'],
    ['word', '_a1$b'],
    ['word', 'a$$b$$'],
    ['word', 'größe'],
    ['word', '\u00a0'],
    ['word', 'e'],
    ['name', '"a b"'],
    ['name', '"a""b"'],
    ['name', '"a\'--/*$$"'],
    ['name', 'U&"d\\0061t""a"'],
    ['name', '"not closed'],
    ['string', "'a'"],
    ['string', "''"],
    ['string', "''''"],
    ['string', "'a''b'"],
    ['string', "'a\\'"],
    ['string', "'a\n--b\n/*c'"],
    ['string', "'not closed"],
    ['string', "'not closed''"],
    ['string', "E'a\\'b'"],
    ['string', "e'a\\\\'"],
    ['string', "E'a''b\\''"],
    ['string', "E'not closed\\'"],
    ['string', "E'not closed\\"],
    ['string', "U&'d\\0061t''a'"],
    ['string', "u&'\\'"],
    ['string', "B'01'"],
    ['string', "x'1f'"],
    ['string', "'a'\n'b'"],
    ['string', "'a' \t\r\n  'b' -- c\n'c'"],
    ['string', "'a' -- b\n -- c\n 'd'"],
    ['string', "E'a'\n'b\\'c'"],
    ['string', '$$a$$'],
    ['string', '$$$$'],
    ['string', '$$ \' -- " /* $a$ $$'],
    ['string', '$a$ $$ $b$ $A$ $a$'],
    ['string', '$é_1$ $1$ $é_1$'],
    ['string', '$a$ not closed $a'],
    ['string', '$$ not closed $'],
    ['number', '42'],
    ['number', '3.5'],
    ['number', '4.'],
    ['number', '.001'],
    ['number', '5e2'],
    ['number', '1.925e-3'],
    ['number', '1_500_000'],
    ['number', '0xff_ff'],
    ['number', '0o17'],
    ['number', '0B01'],
    ['parameter', '$1'],
    ['parameter', '$12'],
    ['operator', '='],
    ['operator', '<@'],
    ['operator', '::'],
    ['operator', ':='],
    ['operator', '=>'],
    ['operator', '|/'],
    ['operator', '?'],
    ['punctuation', '('],
    ['punctuation', ';'],
    ['punctuation', ':'],
    ['punctuation', '..'],
    ['punctuation', '$'],
    ['punctuation', '\\'],
    ['punctuation', '\0'],
  ])('%s: %j', (kind, text) => {
    expect(tokensOf(text)).toEqual([[kind, text]])
  })
})

describe('where one token ends and the next begins', () => {
  test.each<[text: string, tokens: string[]]>([
    ["'a' 'b'", ["string 'a'", "string 'b'"]],
    ["'a' /* b\n */ 'c'", ["string 'a'", 'comment /* b\n */', "string 'c'"]],
    ["'a\\'c'", ["string 'a\\'", 'word c', "string '"]],
    ["E'a\\\\'b", ["string E'a\\\\'", 'word b']],
    ["E'a' 'b\\'c", ["string E'a'", "string 'b\\'", 'word c']],
    ["B'0''1'", ["string B'0'", "string '1'"]],
    ["N'a'", ['word N', "string 'a'"]],
    ["type'a'", ['word type', "string 'a'"]],
    ["ze'a\\'", ['word ze', "string 'a\\'"]],
    ["U& 'a'", ['word U', 'operator &', "string 'a'"]],
    ["a&'b'", ['word a', 'operator &', "string 'b'"]],
    ["ux'b'", ['word ux', "string 'b'"]],
    ['u&b', ['word u', 'operator &', 'word b']],
    ["q'a\\'", ['word q', "string 'a\\'"]],
    ["a'b'", ['word a', "string 'b'"]],
    ['\u0080+\u007f', ['word \u0080', 'operator +', 'punctuation \u007f']],
    ['$a', ['punctuation $', 'word a']],
    ['1e+', ['number 1', 'word e', 'operator +']],
    ['1e-5+1E+5', ['number 1e-5', 'operator +', 'number 1E+5']],
    ['0x1g 0o18 0b12', ['number 0x1', 'word g', 'number 0o1', 'number 8', 'number 0b1', 'number 2']],
    ["/* a */ */ 'b'", ['comment /* a */', 'operator */', "string 'b'"]],
    ['-- a\rb', ['comment -- a', 'blank \r', 'word b']],
    ['a--b', ['word a', 'comment --b']],
    ['a+--b', ['word a', 'operator +', 'comment --b']],
    ['a*/*b*/c', ['word a', 'operator *', 'comment /*b*/', 'word c']],
    ['a - -b', ['word a', 'operator -', 'operator -', 'word b']],
    ['$1$$a$$', ['parameter $1', 'string $$a$$']],
    ['$1a$b', ['parameter $1', 'word a$b']],
    ['$a b$', ['punctuation $', 'word a', 'word b$']],
    ['1..2', ['number 1', 'punctuation ..', 'number 2']],
    ['1.5.2', ['number 1.5', 'number .2']],
    ['1e', ['number 1', 'word e']],
    ['0xg', ['number 0', 'word xg']],
    ['1__0', ['number 1', 'word __0']],
    ['a.b', ['word a', 'punctuation .', 'word b']],
    ['a::int', ['word a', 'operator ::', 'word int']],
    ['a[1:2]', ['word a', 'punctuation [', 'number 1', 'punctuation :', 'number 2', 'punctuation ]']],
    ['"a"."b"', ['name "a"', 'punctuation .', 'name "b"']],
  ])('%j', (text, tokens) => {
    expect(significant(text)).toEqual(tokens)
  })
})

describe('isWord and isIdentifier', () => {
  function first(text: string): Tokenizer {
    const tokens = new Tokenizer(text)
    tokens.next()
    return tokens
  }

  test.each<[text: string, word: boolean, identifier: boolean]>([
    ['lock_', true, true],
    ['LoCK_', true, true],
    ['"lock_"', false, true],
    ['"LOCK_"', false, false],
    ["'lock_'", false, false],
    ['lock', false, false],
    ['lock__', false, false],
    ['LOC\u212a_', false, false],
    ['lock\u007f', false, false],
    ['U&"lock_"', false, false],
  ])('%j is the word lock_: %s, the identifier: %s', (text, word, identifier) => {
    expect(first(text).isWord('lock_')).toBe(word)
    expect(first(text).isIdentifier('lock_')).toBe(identifier)
  })
})

describe('for any text', () => {
  test('the tokens cover the text without gaps, and none is empty', () => {
    fc.assert(
      fc.property(sqlSoup, (text) => {
        const tokens = new Tokenizer(text)
        let covered = 0
        while (tokens.next()) {
          expect(tokens.start).toBe(covered)
          expect(tokens.end).toBeGreaterThan(tokens.start)
          covered = tokens.end
        }
        expect(covered).toBe(text.length)
        expect([tokens.kind, tokens.next(), tokens.kind]).toEqual(['end', false, 'end'])
      }),
    )
  })

  test('every token is a token on its own', () => {
    fc.assert(
      fc.property(sqlSoup, (text) => {
        for (const [kind, token] of tokensOf(text)) expect(tokensOf(token)).toEqual([[kind, token]])
      }),
    )
  })

  const REPEATED = [
    ...[
      "'",
      '"',
      '$',
      '$a',
      '$a$',
      '$$ ',
      '/*',
      '*/',
      '/',
      '-',
      '+',
      '(',
      ')',
      '.',
      ':',
      '\\',
      'a',
      'é',
      '1',
      '1_',
      '0x',
    ],
    ...[
      '0x_',
      "E'",
      "E'\\",
      "U&'",
      'U&"',
      'u&',
      "'' ",
      "''\n",
      "'a'--\n",
      "'a' -",
      "''-- ",
      '1e',
      '1..',
      '$1',
      '$a$$b$',
    ],
    ...["e'a'\n", ' ', '\n', ';', ', ', '/**/', '-- \n', '=-', '[', '"a" ', '$b $'],
  ]

  test.each(REPEATED)('a long repetition of %j takes a few steps per character', (unit) => {
    for (const before of ['', "'", "E'", '$a$', '/*', '$a', "'a'", '"']) {
      const text = new CountingText(before + unit.repeat(4_000))
      const tokens = new Tokenizer(text.asString())
      while (tokens.next());
      expect(text.steps).toBeLessThan(8 * text.length)
    }
  })

  test('one long tag of a dollar quote takes a few steps per character', () => {
    const tag = 'a'.repeat(10_000)
    for (const sql of [`$${tag}`, `$${tag}$`, `$${tag}$ ${`${tag}$`.repeat(3)}`, `$${tag}$ $${tag}$`]) {
      const text = new CountingText(sql)
      const tokens = new Tokenizer(text.asString())
      while (tokens.next());
      expect(text.steps).toBeLessThan(8 * text.length)
    }
  })
})
