import fc from 'fast-check'
import { expect, test } from 'vitest'
import { APP_LENGTH, makeMember } from './member-name.ts'
import { parsePooledName, pooledName } from './pooled-name.ts'

test.each(['orders#3f9a1b', 'orders#000000', 'Orders.v2_a-b#zzzzzz', 'i#abcdef'])(
  '%s is encoded and parsed',
  (member) => {
    expect(parsePooledName(pooledName(member))).toBe(member)
  },
)

test('the name identifies any instance, and is short enough', () => {
  const app = fc.stringMatching(new RegExp(`^[A-Za-z0-9._-]{1,${APP_LENGTH}}$`))
  fc.assert(
    fc.property(app, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (name, random) => {
      const member = makeMember(name, () => random)
      const pooled = pooledName(member)
      expect(parsePooledName(pooled)).toBe(member)
      expect(pooled).toMatch(/^[A-Za-z0-9._#-]{1,63}$/)
    }),
  )
})

test('the names of all instances of an app differ only in case', () => {
  const names = ['orders#3f9a1b', 'orders#zzzzzz', 'orders#000000'].map(pooledName)
  expect(new Set(names).size).toBe(3)
  expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(1)
})

test.each(['orders', 'orders#3f9a1b', 'orders#3f9a1b:t=3,d=4,n=1', '#instanceofafleetbehindapgbouncer', 'psql', ''])(
  '"%s" is not a pooled name',
  (name) => {
    expect(parsePooledName(name)).toBeUndefined()
  },
)
