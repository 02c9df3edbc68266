import { expect, test } from 'vitest'
import { describeSettings, resolveSettings } from './resolve.ts'

test('given settings, then each has a line with its value and its reason', () => {
  const text = describeSettings(resolveSettings({ options: { pool: { max: 4, maxLifetimeMillis: Infinity } } }))
  const lines = text.split('\n').map((line) => line.split(/\s{2,}/))
  expect(lines).toContainEqual(['max', '4', 'given'])
  expect(lines).toContainEqual(['maxLifetimeMillis', 'Infinity', 'given'])
  expect(lines).toContainEqual(['min', '0', 'default'])
})

test('given warnings, then they are at the end', () => {
  const resolved = { ...resolveSettings({ options: {} }), warnings: ['60 instances cannot share 14 connections'] }
  expect(describeSettings(resolved)).toMatch(/\n! 60 instances cannot share 14 connections$/)
})
