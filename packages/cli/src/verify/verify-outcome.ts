import type { Outcome } from '../outcome.ts'
import { wrapBehind } from '../output/layout.ts'
import { paint } from '../output/paint.ts'
import type { Check } from './check.ts'

const MARKS = { passed: ['green', 'ok     '], failed: ['red', 'failed '], skipped: ['gray', 'skipped'] } as const

/** One line for each check, and the verdict. */
export function verifyOutcome(checks: readonly Check[]): Outcome {
  const width = Math.max(...checks.map(({ name }) => name.length))
  const lines = checks.map(({ name, status, detail }) => {
    const [colour, mark] = MARKS[status]
    // The label's width without its colour.
    const lines = wrapBehind(`${mark}  ${name.padEnd(width)}  `, detail)
    return lines.replace(mark, () => paint(colour, mark))
  })
  const failed = checks.filter(({ status }) => status === 'failed').length
  const verdict =
    failed === 0 ? paint('green', 'All checks passed.') : paint('red', `${failed} of ${checks.length} checks failed.`)
  return {
    exitCode: failed === 0 ? 0 : 1,
    text: [...lines, '', verdict].join('\n'),
    json: { passed: failed === 0, checks },
  }
}
