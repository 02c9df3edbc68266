import { expect, test } from 'vitest'
import { readMaxConnections, readMegabytes } from './read-number.ts'

test('rejects values with which PostgreSQL does not start', () => {
  expect(readMaxConnections('262143')).toBe(262_143)
  expect(() => readMaxConnections('262144')).toThrow('at most 262143')
  expect(readMegabytes(256)('21TB')).toBe(22_020_096)
  expect(() => readMegabytes(256)('22TB')).toThrow('from 256MB to 21TB')
  expect(() => readMegabytes(256)('255MB')).toThrow('from 256MB to 21TB')
})
