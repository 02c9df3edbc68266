import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { bearerToken, tokenCheck } from './admin-token.ts'

/** Records the compared buffers: only `timingSafeEqual` on buffers of equal length takes constant time. */
const compare = vi.spyOn(crypto, 'timingSafeEqual')
beforeEach(() => {
  syncBuiltinESMExports()
  compare.mockClear()
})
afterEach(() => syncBuiltinESMExports())

const tokens = ['the first token', 'the second one, which is longer']

test.each<[description: string, given: string, isToken: boolean]>([
  ['the first token', 'the first token', true],
  ['the second token', 'the second one, which is longer', true],
  ['an empty token', '', false],
  ['an unknown token', 'another', false],
  ['a prefix of a token', 'the first', false],
  ['a token with a suffix', 'the first token!', false],
  ['a very long token', 'x'.repeat(100_000), false],
])('given %s, then the check compares it with each token in constant time', (_what, given, isToken) => {
  expect(tokenCheck(tokens)(given)).toBe(isToken)
  expect(compare.mock.calls.map((buffers) => buffers.map((each) => each.byteLength))).toEqual([
    [32, 32],
    [32, 32],
  ])
})

test('given no tokens, then the check rejects every token', () => {
  expect(tokenCheck([])('')).toBe(false)
})

test.each<[authorization: string | undefined, token: string | undefined]>([
  ['Bearer abc', 'abc'],
  ['Bearer   abc ', 'abc'],
  ['bearer abc', 'abc'],
  ['BEARER abc', 'abc'],
  ['Basic abc', undefined],
  ['Bearer', undefined],
  ['Bearer a b', undefined],
  ['', undefined],
  [undefined, undefined],
])('given the header %s, then the token is %s', (authorization, token) => {
  expect(bearerToken(authorization)).toBe(token)
})
