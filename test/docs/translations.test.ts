import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { RULES } from '../../packages/cli/src/doctor/rules/index.ts'
import chinese from '../../packages/cli/src/output/chinese.json' with { type: 'json' }
import { CORE_TEXTS } from '../../packages/cli/src/output/core-texts.ts'
import { JOINTS } from '../../packages/cli/src/output/translate-from-core.ts'
import { translatedTexts } from '../language/translations.ts'
import { ROOT } from './documents.ts'

const sources = execFileSync('git', ['ls-files', 'packages/cli/src/*.ts'], { cwd: ROOT, encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '' && !file.endsWith('.test.ts') && !file.endsWith('output/translate.ts'))

const texts = [
  ...sources.flatMap((file) => translatedTexts(join(ROOT, file))),
  ...RULES.map(({ title }) => title),
  ...CORE_TEXTS,
]
/** Punctuation between texts of core. */
const punctuation = [...JOINTS, '. ', '.']
const catalogue = new Map(Object.entries(chinese))

test('every text of the command line has a Chinese translation', () => {
  expect(texts.length).toBeGreaterThan(50)
  expect([...new Set(texts)].filter((text) => hasWords(text) && !catalogue.has(text))).toEqual([])
})

test('the catalogue has no translation of a text that is gone', () => {
  expect([...catalogue.keys()].filter((key) => !texts.includes(key) && !punctuation.includes(key))).toEqual([])
})

test('each translation has the same values', () => {
  const wrong = [...catalogue].filter(([key, text]) => placeholders(text).join() !== placeholders(key).join())
  expect(wrong).toEqual([])
})

test('each translation has the same code, settings, options, SQL and numbers', () => {
  const wrong = [...catalogue].filter(([key, text]) => verbatim(key).some((code) => !text.includes(code)))
  expect(wrong).toEqual([])
})

test('each translation has a space between Chinese and Latin words, and full-width punctuation', () => {
  const crowded = /\p{Script=Han}[\w,:;?!]|[\w,;?!]\p{Script=Han}/u
  expect([...catalogue].filter(([, text]) => crowded.test(text))).toEqual([])
})

/** Texts of symbols and values only are the same in every language. */
function hasWords(text: string): boolean {
  return /[a-z]{2}/i.test(text.replaceAll(/\{\d+\}/g, ''))
}

function placeholders(text: string): readonly string[] {
  return [...text.matchAll(/\{\d+\}/g)].map(([mark]) => mark).toSorted()
}

/** Parts of a text that no translation changes: what stands in backticks, settings, options, SQL and numbers. */
function verbatim(text: string): readonly string[] {
  return text.match(/`[^`]+`|[a-z]+(?:_[a-z0-9]+)+|--[a-z][a-z-]+|\b[A-Z]{3,}\b|\d+/g) ?? []
}
