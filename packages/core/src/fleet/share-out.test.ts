import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ShareRequest, shareOut, sum } from './share-out.ts'

const requests = (...demands: number[]): ShareRequest[] => demands.map((demand) => ({ floor: 1, demand }))
const request = fc.record({ floor: fc.integer({ min: 1, max: 10 }), demand: fc.nat(60) })
const given = fc.tuple(fc.nat(200), fc.array(request, { maxLength: 30 }))

describe('a budget is shared out', () => {
  test.each<[what: string, budget: number, requests: ShareRequest[], shares: number[]]>([
    ['among no instances', 10, [], []],
    ['to one instance', 10, requests(30), [10]],
    ['equally among instances that request everything', 33, requests(99, 99, 99), [11, 11, 11]],
    ['with the remainder to the first instances', 10, requests(99, 99, 99), [4, 3, 3]],
    ['with unused parts to other instances', 10, requests(2, 20, 20), [2, 4, 4]],
    ['up to the demand', 10, requests(2, 3), [2, 3]],
    ['with at least one each, without demand', 10, requests(0, 99), [1, 9]],
    ['floors first', 10, [{ floor: 6, demand: 0 }, ...requests(99, 99)], [6, 2, 2]],
    [
      'fairly among floors that exceed the budget',
      10,
      [
        { floor: 20, demand: 0 },
        { floor: 3, demand: 9 },
      ],
      [7, 3],
    ],
    ['with one each, if there are more instances than connections', 2, requests(9, 9, 9), [1, 1, 1]],
  ])('%s', (_, budget, given, shares) => {
    expect(shareOut(budget, given)).toEqual(shares)
  })

  test('and the sum is at most the budget, except for one connection each', () => {
    fc.assert(
      fc.property(given, ([budget, requests]) => {
        expect(sum(shareOut(budget, requests))).toBeLessThanOrEqual(Math.max(budget, requests.length))
      }),
    )
  })

  test('and the whole budget is used while there is demand', () => {
    fc.assert(
      fc.property(given, ([budget, requests]) => {
        const wanted = requests.map(({ floor, demand }) => Math.max(floor, demand))
        expect(sum(shareOut(budget, requests))).toBeGreaterThanOrEqual(Math.min(budget, sum(wanted)))
      }),
    )
  })

  test('and an instance below its demand gets at most one less than any instance above its floor', () => {
    fc.assert(
      fc.property(given, ([budget, requests]) => {
        const shares = shareOut(budget, requests)
        const short = shares.filter((share, i) => share < Math.max(requests[i]?.floor ?? 0, requests[i]?.demand ?? 0))
        const above = shares.filter((share, i) => share > (requests[i]?.floor ?? 0))
        expect(Math.min(...short)).toBeGreaterThanOrEqual(Math.max(...above) - 1)
      }),
    )
  })

  test('and more demand never leads to a smaller share', () => {
    fc.assert(
      fc.property(given, fc.nat(30), fc.nat(20), ([budget, requests], index, more) => {
        fc.pre(index < requests.length)
        const greedy = requests.map((each, i) => (i === index ? { ...each, demand: each.demand + more } : each))
        expect(shareOut(budget, greedy)[index]).toBeGreaterThanOrEqual(shareOut(budget, requests)[index] as number)
      }),
    )
  })
})
