import { expect, test } from 'vitest'
import { UnicodePattern } from './unicode-pattern.ts'

const SOURCES = [
  String.raw`^[\p{L}\p{N}_.*-]{0,9}$`,
  String.raw`[@\\\p{Cc}\p{Cf}]|:\/`,
  String.raw`^\/[^@?\p{Cc}]*$`,
  String.raw`^[\p{Lu}]+$`,
]

/** Each ASCII character, and some of each class beyond. */
const CHARACTERS = [
  ...Array.from({ length: 128 }, (_, code) => String.fromCodePoint(code)),
  ...['ä', 'Ä', '数', '½', '٣', '\u0085', '\u00ad', '\u200b', '\u2028', '😀', '\ud800'],
]

test.each(SOURCES)('%s matches the same texts as a regular expression', (source) => {
  const pattern = new UnicodePattern(source)
  const expression = new RegExp(source, 'u')
  const texts = ['', ...CHARACTERS.flatMap((each) => [each, `a${each}`, `/${each}0`, `${each}${each}\n`])]
  for (const text of texts) expect([text, pattern.test(text)]).toEqual([text, expression.test(text)])
})
