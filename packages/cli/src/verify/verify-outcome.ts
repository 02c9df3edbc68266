import type { Outcome } from '../outcome.ts'
import { alignLeft, widthOf, wrapBehind } from '../output/layout.ts'
import { paint } from '../output/paint.ts'
import { t } from '../output/translate.ts'
import type { Check } from './check.ts'

const MARKS = {
  passed: ['green', () => t`ok`],
  failed: ['red', () => t`failed`],
  skipped: ['gray', () => t`skipped`],
} as const

const MARK_WIDTH = 7

/** The names of checks for people; programs get them as they are. */
const NAMES: Readonly<Record<string, () => string>> = {
  reached: () => t`reached`,
  expected: () => t`expected`,
  query: () => t`query`,
  transaction: () => t`transaction`,
  'prepared statements': () => t`prepared statements`,
  figures: () => t`figures`,
  concurrency: () => t`concurrency`,
  'direct URL': () => t`direct URL`,
  file: () => t`file`,
  opened: () => t`opened`,
  integrity: () => t`integrity`,
  'journal mode': () => t`journal mode`,
  'WAL size': () => t`WAL size`,
  writable: () => t`writable`,
  'write lock': () => t`write lock`,
}

/** One line for each check, and the verdict. */
export function verifyOutcome(checks: readonly Check[]): Outcome {
  const names = checks.map(({ name }) => NAMES[name]?.() ?? name)
  const width = Math.max(...names.map(widthOf))
  const lines = checks.map(({ status, detail }, index) => {
    const [colour, mark] = MARKS[status]
    const label = alignLeft(paint(colour, mark()), MARK_WIDTH)
    return wrapBehind(`${label}  ${alignLeft(names[index] ?? '', width)}  `, detail)
  })
  const failed = checks.filter(({ status }) => status === 'failed').length
  const verdict =
    failed === 0 ? paint('green', t`All checks passed.`) : paint('red', t`${failed} of ${checks.length} checks failed.`)
  return {
    exitCode: failed === 0 ? 0 : 1,
    text: [...lines, '', verdict].join('\n'),
    json: { passed: failed === 0, checks },
  }
}
