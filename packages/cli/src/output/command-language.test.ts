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
  [['doctor', '--lang', 'zh', '--json'], {}, 'en'],
  [['doctor', '--json'], { LANG: 'zh_CN.UTF-8' }, 'en'],
  [['check', '--format', 'sarif', '--lang=zh'], {}, 'en'],
  [['check', '--format=json'], { LANG: 'zh_CN.UTF-8' }, 'en'],
  [['check', '--format', 'github', '--lang=zh'], {}, 'zh'],
  [['doctor', '--lang'], { LANG: 'zh_CN.UTF-8' }, 'en'],
])('%j with %j is %s', (args, env, language) => {
  expect(commandLanguage(args, env)).toBe(language)
})
