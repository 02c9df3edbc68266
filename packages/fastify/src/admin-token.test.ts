import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { bearerToken, tokenCheck } from './admin-token.ts'

/** What was compared, and how: a comparison takes the same time whatever it finds, where it is this one, of as many bytes. */
const compare = vi.spyOn(crypto, 'timingSafeEqual')
beforeEach(() => {
  syncBuiltinESMExports()
  compare.mockClear()
})
afterEach(() => syncBuiltinESMExports())

const tokens = ['the first token', 'the second one, which is longer']

test.each<[what: string, given: string, isToken: boolean]>([
  ['the first', 'the first token', true],
  ['the second', 'the second one, which is longer', true],
  ['none', '', false],
  ['another', 'another', false],
  ['the beginning of one', 'the first', false],
  ['one and more', 'the first token!', false],
  ['a long one', 'x'.repeat(100_000), false],
])('given %s, then it is compared with each token, all of one length, in constant time', (_what, given, isToken) => {
  expect(tokenCheck(tokens)(given)).toBe(isToken)
  expect(compare.mock.calls.map((buffers) => buffers.map((each) => each.byteLength))).toEqual([
    [32, 32],
    [32, 32],
  ])
})

test('given no tokens, then none is one', () => {
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
