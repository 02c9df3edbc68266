import { expect, test } from 'vitest'
import { commandLanguage } from './command-language.ts'

test.each([
  [['doctor', '--lang', 'zh'], {}, 'zh'],
  [['doctor', '--lang=zh'], {}, 'zh'],
  [['doctor', '--lang', 'en'], { LANG: 'zh_CN.UTF-8' }, 'en'],
  [['doctor'], { LANG: 'zh_CN.UTF-8' }, 'zh'],
  [['doctor'], { LC_ALL: 'C', LANG: 'zh_CN.UTF-8' }, 'en'],
  [['doctor'], { LC_ALL: '', LC_MESSAGES: 'zh_TW', LANG: 'en_US' }, 'zh'],
  [['doctor'], {}, 'en'],
])('%j with %j is %s', (args, env, language) => {
  expect(commandLanguage(args, env)).toBe(language)
})
