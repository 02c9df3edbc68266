import { afterEach, expect, test } from 'vitest'
import { connectionErrorPage, rulePage } from './documentation.ts'
import { inEnglish, selectLanguage } from './translate.ts'

afterEach(() => selectLanguage('en'))

test('pages have the language of the output', () => {
  const pages = () => [rulePage('server-full'), connectionErrorPage('refused')].map((page) => page.split('/docs/')[1])
  const english = ['doctor/server-full.md', 'connection-errors.md#refused']
  expect(pages()).toEqual(english)
  selectLanguage('zh')
  expect(pages()).toEqual(english.map((page) => `zh/${page}`))
  expect(inEnglish(pages)).toEqual(english)
})
