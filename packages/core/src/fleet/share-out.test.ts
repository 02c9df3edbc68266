import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ShareRequest, shareOut, sum } from './share-out.ts'

const wishes = (...demands: number[]): ShareRequest[] => demands.map((demand) => ({ floor: 1, demand }))
const wish = fc.record({ floor: fc.integer({ min: 1, max: 10 }), demand: fc.nat(60) })
const given = fc.tuple(fc.nat(200), fc.array(wish, { maxLength: 30 }))

describe('a budget is shared out', () => {
  test.each<[what: string, budget: number, wishes: ShareRequest[], shares: number[]]>([
    ['among nobody', 10, [], []],
    ['to one', 10, wishes(30), [10]],
    ['equally among those who want all', 33, wishes(99, 99, 99), [11, 11, 11]],
    ['with what does not divide to the first', 10, wishes(99, 99, 99), [4, 3, 3]],
    ['with what one does not use to the others', 10, wishes(2, 20, 20), [2, 4, 4]],
    ['no further than it is wanted', 10, wishes(2, 3), [2, 3]],
    ['with one to those who want none', 10, wishes(0, 99), [1, 9]],
    ['after the floors', 10, [{ floor: 6, demand: 0 }, ...wishes(99, 99)], [6, 2, 2]],
    [
      'fairly among floors that do not fit',
      10,
      [
        { floor: 20, demand: 0 },
        { floor: 3, demand: 9 },
      ],
      [7, 3],
    ],
    ['with one each where there are more than connections', 2, wishes(9, 9, 9), [1, 1, 1]],
  ])('%s', (_, budget, given, shares) => {
    expect(shareOut(budget, given)).toEqual(shares)
  })

  test('and no more is given than there is, but for the one that each has', () => {
    fc.assert(
      fc.property(given, ([budget, wishes]) => {
        expect(sum(shareOut(budget, wishes))).toBeLessThanOrEqual(Math.max(budget, wishes.length))
      }),
    )
  })

  test('and nothing is left while somebody wants it', () => {
    fc.assert(
      fc.property(given, ([budget, wishes]) => {
        const wanted = wishes.map(({ floor, demand }) => Math.max(floor, demand))
        expect(sum(shareOut(budget, wishes))).toBeGreaterThanOrEqual(Math.min(budget, sum(wanted)))
      }),
    )
  })

  test('and whoever gets less than it wants gets, but for one, no less than anybody above its floor', () => {
    fc.assert(
      fc.property(given, ([budget, wishes]) => {
        const shares = shareOut(budget, wishes)
        const short = shares.filter((share, i) => share < Math.max(wishes[i]?.floor ?? 0, wishes[i]?.demand ?? 0))
        const above = shares.filter((share, i) => share > (wishes[i]?.floor ?? 0))
        expect(Math.min(...short)).toBeGreaterThanOrEqual(Math.max(...above) - 1)
      }),
    )
  })

  test('and whoever wants more gets no less for it', () => {
    fc.assert(
      fc.property(given, fc.nat(30), fc.nat(20), ([budget, wishes], index, more) => {
        fc.pre(index < wishes.length)
        const greedy = wishes.map((each, i) => (i === index ? { ...each, demand: each.demand + more } : each))
        expect(shareOut(budget, greedy)[index]).toBeGreaterThanOrEqual(shareOut(budget, wishes)[index] as number)
      }),
    )
  })
})
