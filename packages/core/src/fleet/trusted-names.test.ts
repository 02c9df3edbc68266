import { expect, test } from 'vitest'
import { type Naming, trustNames } from './trusted-names.ts'

const naming = (member: string, role: string, rank: number, count = 1): Naming => ({ member, role, rank, count })

/** The connections whose names count, by their place. */
function trustedOf(...namings: readonly (Naming | undefined)[]): number[] {
  const places = namings.map((_, place) => place)
  return [...trustNames(places, (place) => namings[place]).trusted]
}

test('a name counts for the role with the lowest rank, in any order', () => {
  const [own, other] = [naming('a#000001', 'z', 0), naming('a#000001', 'b', 1)]

  expect(trustedOf(own, other)).toEqual([0])
  expect(trustedOf(other, own)).toEqual([1])
  expect(trustedOf(other, own, own)).toEqual([1, 2])
})

test('a name that two roles of one rank use counts for the first in the alphabet, in any order', () => {
  const [b, c] = [naming('a#000001', 'b', 1), naming('a#000001', 'c', 1)]

  expect(trustedOf(b, c)).toEqual([0])
  expect(trustedOf(c, b)).toEqual([1])
})

test('names of roles without trust are counted by app and role, and connections without a name nowhere', () => {
  const namings = [
    naming('a#000001', 'evil', -1, 2),
    naming('a#000002', 'evil', -1, 3),
    naming('b#c#000001', 'evil', -1),
    undefined,
    naming('a#000001', 'app', 0),
  ]
  const { trusted, ignored } = trustNames([0, 1, 2, 3, 4], (place) => namings[place])

  expect([...trusted]).toEqual([4])
  expect(ignored).toEqual([
    { role: 'evil', app: 'a', count: 5 },
    { role: 'evil', app: 'b#c', count: 1 },
  ])
})
