import { CannotRunError } from '../outcome.ts'
import { t } from '../output/translate.ts'

/** Terminals that cannot place text, by their own names. */
const WITHOUT_CURSOR: readonly string[] = ['dumb', 'unknown']

/** @throws {CannotRunError} that says what to use instead, if there is no terminal that can show a full screen. */
export function requireTerminal({ json }: { readonly json?: boolean | undefined }): void {
  const instead = t`poolguard monitor prints a line for each sample, poolguard doctor a report.`
  if (json) throw new CannotRunError(t`top shows a full screen and prints no JSON: use poolguard monitor --json.`)
  if (!process.stdin.isTTY || !process.stdout.isTTY)
    throw new CannotRunError(t`top needs a terminal for input and output. ${instead}`)
  const { TERM } = process.env
  if (TERM !== undefined && WITHOUT_CURSOR.includes(TERM))
    throw new CannotRunError(t`top cannot show a full screen on this terminal (TERM=${TERM}). ${instead}`)
}
