// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax under test
import { expect, test } from 'vitest'
import { expandVariables } from './expand-variables.ts'

const FILE = { HOST: 'db', PORT: '5433', EMPTY: '', URL: 'postgres://app@${HOST}:${PORT}/app' }

test.each<[text: string, expanded: string]>([
  ['${HOST}', 'db'],
  ['$HOST', 'db'],
  ['${HOST}:${PORT}', 'db:5433'],
  ['${MISSING:-x}', 'x'],
  ['${MISSING-x}', 'x'],
  ['${EMPTY:-x}', 'x'],
  ['${EMPTY-x}', ''],
  ['${MISSING:-$HOST}', 'db'],
  ['${MISSING}', ''],
  ['\\$HOST', '$HOST'],
  // Probably a part of a password.
  ['pa$word', 'pa$word'],
  ['${SHELL_HOST}', 'from the shell'],
  ['${URL}?x=1', 'postgres://app@db:5433/app?x=1'],
])('%s becomes %s', (text, expanded) => {
  expect(expandVariables({ ...FILE, TEXT: text }, { SHELL_HOST: 'from the shell' }).TEXT).toBe(expanded)
})

test('the environment wins over the file', () => {
  expect(expandVariables(FILE, { HOST: 'other' }).URL).toBe('postgres://app@other:5433/app')
})

test('a circle ends', () => {
  expect(expandVariables({ A: 'a${B}', B: 'b${A}' }, {})).toEqual({ A: 'ab', B: 'b' })
})
