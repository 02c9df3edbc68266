import { afterEach, describe, expect, test } from 'vitest'
import { selectLanguage, t, translate } from './translate.ts'

afterEach(() => selectLanguage('en'))

describe('t', () => {
  test('is the English text by default', () => {
    expect(t`${3} of ${10} connections`).toBe('3 of 10 connections')
  })

  test('keeps braces in the text and in the values', () => {
    expect(t`fleet: { app }, ${'{0} $& {1}'} and {9}`).toBe('fleet: { app }, {0} $& {1} and {9}')
  })

  test('keeps a text that has no translation', () => {
    selectLanguage('zh')
    expect(translate('no such text')).toBe('no such text')
  })
})
