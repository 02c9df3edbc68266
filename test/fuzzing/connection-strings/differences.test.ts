import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { DRIVER_DIFFERENCES } from './driver-differences.ts'
import { isSameTarget, readBy } from './drivers-target.ts'
import { type LibpqReading, loadLibpq } from './libpq.ts'
import { compare, DIFFERENCES, relationOf } from './libpq-differences.ts'
import { readByPoolguard, type Target } from './readings.ts'

const DOCUMENT = readFileSync(new URL('../../../docs/connection-strings.md', import.meta.url), 'utf8')
/** A text as a table shows it. */
const cell = (text: string): string => `\`${JSON.stringify(text).slice(1, -1)}\``

let readByLibpq: (text: string) => LibpqReading
beforeAll(async () => {
  readByLibpq = await loadLibpq()
})

describe('a listed difference from libpq', () => {
  test.each(DIFFERENCES.map((difference) => [difference.text, difference] as const))(
    '%j exists',
    (text, difference) => {
      const comparison = compare(text, readByLibpq)

      expect(relationOf(comparison, readByLibpq)).toBe('listed')
      expect(
        relationOf(
          comparison,
          readByLibpq,
          DIFFERENCES.filter((each) => each !== difference),
        ),
      ).toBe('unlisted')
    },
  )

  test.each(DIFFERENCES)('$text is in the document', ({ text, libpq, poolguard, why }) => {
    expect(DOCUMENT.replaceAll(/ +/g, ' ')).toContain(`| ${cell(text)} | ${libpq} | ${poolguard} | ${why} |`)
  })
})

describe('a listed difference from a driver', () => {
  test.each(DRIVER_DIFFERENCES)('$driver: $text', ({ driver, text, reads, pattern }) => {
    const theirs = readBy(driver, text)

    expect(theirs && isSameTarget(readByPoolguard(text) as Target, theirs)).toBe(false)
    expect(text).toMatch(pattern)
    expect(DOCUMENT.replaceAll(/ +/g, ' ')).toContain(`| ${driver} | ${cell(text)} | ${reads} |`)
  })
})
