import { describe, expect, test } from 'vitest'
import { ESCAPE_MARK } from './paint.ts'
import { printable, printableJson, withPlainTexts } from './printable.ts'

const ACTING = [
  ['an escape sequence', '\u001b[31mred\u001b[0m', String.raw`\x1b[31mred\x1b[0m`],
  ['a title for the window', '\u001b]0;pwned\u0007', String.raw`\x1b]0;pwned\x07`],
  ['a C1 control', '\u009b2J', String.raw`\x9b2J`],
  ['a carriage return', 'all fine\rcritical', String.raw`all fine\x0dcritical`],
  ['a change of direction', 'user\u202etxt.exe', String.raw`user\u202etxt.exe`],
  ['a backspace', 'ab\b\bcd', String.raw`ab\x08\x08cd`],
] as const

describe('printable', () => {
  test.each(ACTING)('escapes %s', (_what, text, shown) => {
    expect(printable(text)).toBe(shown)
  })

  test('keeps line ends, tabs and our own colours', () => {
    expect(printable(`one\n\ttwo ${ESCAPE_MARK}[31mred`)).toBe('one\n\ttwo \u001b[31mred')
  })

  test('hides passwords, except in generated files', () => {
    expect(printable('postgres://app:s3cret@db/x')).not.toContain('s3cret')
    expect(printable("alter role app password :'password';", { redacts: false })).toBe(
      "alter role app password :'password';",
    )
  })
})

describe('printableJson', () => {
  test.each(ACTING)('escapes %s, and parses to the same value', (_what, text) => {
    const json = printableJson({ name: text })

    // biome-ignore lint/suspicious/noControlCharactersInRegex: the test searches for them
    expect(json).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/)
    expect(JSON.parse(json)).toEqual({ name: text })
  })

  test('hides passwords in every string', () => {
    expect(printableJson({ a: [{ b: 'postgres://app:s3cret@db/x' }] })).not.toContain('s3cret')
  })
})

describe('withPlainTexts', () => {
  test('escapes strings in arrays, maps and objects', () => {
    const facts = { list: ['a\nb'], map: new Map([['k\u001b', { v: '\t' }]]), count: 3, none: null }

    expect(withPlainTexts(facts)).toEqual({
      list: ['a\\x0ab'],
      map: new Map([['k\\x1b', { v: '\\x09' }]]),
      count: 3,
      none: null,
    })
  })
})
