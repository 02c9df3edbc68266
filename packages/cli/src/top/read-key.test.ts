import { expect, test } from 'vitest'
import { readKey } from './read-key.ts'

test.each([
  [undefined, { name: 'up' }, { type: 'key', key: 'up' }],
  ['\r', { name: 'return' }, { type: 'key', key: 'enter' }],
  [undefined, { name: 'escape', meta: true }, { type: 'key', key: 'escape' }],
  ['\t', { name: 'tab', shift: true }, { type: 'key', key: 'shift tab' }],
  ['\u0003', { name: 'c', ctrl: true }, { type: 'key', key: 'ctrl c' }],
  ['c', { name: 'c' }, { type: 'text', text: 'c' }],
  [' ', { name: 'space' }, { type: 'text', text: ' ' }],
  ['订', {}, { type: 'text', text: '订' }],
  ['\u0001', { name: 'a', ctrl: true }, undefined],
  ['\u009b', {}, undefined],
  ['\u202e', {}, undefined],
  ['x', { name: 'x', meta: true }, undefined],
  [undefined, { name: 'f1' }, undefined],
])('reads %j with %o as %o', (text, key, event) => {
  expect(readKey(text, key)).toEqual(event)
})
