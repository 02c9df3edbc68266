import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvalidOptionError } from '../invalid-option-error.ts'
import {
  ADAPTIVE_APP_LENGTH,
  APP_LENGTH,
  encodeMemberName,
  haveSameFigures,
  isLater,
  makeMember,
  parseMemberName,
  requireAppName,
} from './member-name.ts'

const appNames = fc.stringMatching(new RegExp(`^[A-Za-z0-9._-]{1,${APP_LENGTH}}$`))
const adaptiveAppNames = fc.stringMatching(new RegExp(`^[A-Za-z0-9._-]{1,${ADAPTIVE_APP_LENGTH}}$`))
const notices = fc.stringMatching(/^([a-z0-9]{5}|[a-z0-9]{8})$/)
const counts = fc.nat(9_999)
const publications = fc.record({
  target: counts,
  demand: counts,
  floor: fc.integer({ min: 1, max: 9_999 }),
  sequence: fc.nat(36 ** 5 - 1),
})

describe('the name of an instance', () => {
  test.each([
    ['orders#3f9a1b', { member: 'orders#3f9a1b', publication: undefined }],
    [
      'orders#3f9a1b:t=8,d=12,n=1l',
      { member: 'orders#3f9a1b', publication: { target: 8, demand: 12, floor: 1, sequence: 57 } },
    ],
    [
      'a-b.c_d#000000:t=8,d=0,m=3,n=0',
      { member: 'a-b.c_d#000000', publication: { target: 8, demand: 0, floor: 3, sequence: 0 } },
    ],
  ])('%s is parsed and encoded', (name, parsed) => {
    expect(parseMemberName(name)).toEqual(parsed)
    if (parsed.publication) expect(encodeMemberName(parsed.member, parsed.publication)).toBe(name)
  })

  test.each([
    '',
    'psql',
    'orders',
    '#3f9a1b',
    'worker#1',
    'worker#instance1',
    'orders#',
    'orders#3f9a1b:',
    'orders#3f9a1b:t=8',
    'orders#3f9a1b:t=8,d=x,n=1',
  ])('is not "%s"', (name) => {
    expect(parseMemberName(name)).toBeUndefined()
  })

  test('fits into 63 bytes of ASCII with any figures, and is parsed back', () => {
    fc.assert(
      fc.property(
        appNames,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        publications,
        (app, dice, publication) => {
          const member = makeMember(app, () => dice)
          const name = encodeMemberName(member, publication)
          expect(name).toMatch(/^[ -~]{1,63}$/)
          expect(parseMemberName(name)).toEqual({ member, publication })
        },
      ),
    )
  })

  test('fits with a notice about the adaptive limit, too', () => {
    fc.assert(
      fc.property(adaptiveAppNames, publications, notices, (app, figures, notice) => {
        const publication = { ...figures, notice }
        const member = makeMember(app, () => 0.5)
        const name = encodeMemberName(member, publication)
        expect(name).toMatch(/^[ -~]{1,63}$/)
        expect(parseMemberName(name)).toEqual({ member, publication })
      }),
    )
  })

  test('has at most four digits per figure', () => {
    expect(encodeMemberName('a#0', { target: 70_000, demand: 70_000, floor: 1, sequence: 1 })).toBe(
      'a#0:t=9999,d=9999,n=1',
    )
  })

  test.each(['', 'orders#1', 'orders service', "o'rders", 'commandes-à', 'x'.repeat(APP_LENGTH + 1), 7, undefined])(
    'does not begin with %j',
    (app) => {
      expect(() => requireAppName('fleet.app', app)).toThrow(InvalidOptionError)
      expect(() => requireAppName('fleet.app', app)).toThrow(`1 to ${APP_LENGTH} letters, digits`)
    },
  )
})

test('of two publications the later one is known, beyond the end of the numbers, too', () => {
  const at = (sequence: number) => ({ target: 1, demand: 1, floor: 1, sequence })
  expect(isLater(at(2), at(1))).toBe(true)
  expect(isLater(at(1), at(2))).toBe(false)
  expect(isLater(at(0), at(36 ** 5 - 1))).toBe(true)
})

test('names that differ by their sequence only tell the same', () => {
  expect(haveSameFigures('orders#3f9a1b:t=8,d=12,n=1l', 'orders#3f9a1b:t=8,d=12,n=zz')).toBe(true)
  expect(haveSameFigures('orders#3f9a1b:t=8,d=12,n=1l', 'orders#3f9a1b:t=8,d=11,n=1l')).toBe(false)
})
