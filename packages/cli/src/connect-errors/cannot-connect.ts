import { type ConnectionString, describeAddress } from '@poolguard/core/postgres'
import { CannotRunError } from '../outcome.ts'
import { wrapBehind } from '../output/layout.ts'
import { messageOf } from '../output/message-of.ts'
import { withPlainTexts } from '../output/printable.ts'
import { t } from '../output/translate.ts'
import { type ConnectHelp, explainConnectError } from './explain-connect-error.ts'

/** A command cannot run because it cannot connect. The message says what that means and what to try. */
export class CannotConnectError extends CannotRunError {
  override readonly name = 'CannotConnectError'
  /** Empty if the cause is unknown. */
  override readonly details: Readonly<Record<string, unknown>>

  constructor(message: string, help: ConnectHelp | undefined) {
    super([message, ...printHelp(help)].join('\n'))
    this.details = help ? { cause: help.cause, page: help.page } : {}
  }
}

/** The error of a command that needs this database. */
export function cannotConnect(
  url: ConnectionString,
  error: unknown,
  folder: string = process.cwd(),
): CannotConnectError {
  const { message, help } = describeConnectError(url, error, folder)
  return new CannotConnectError(t`Cannot connect to ${describeAddress(url)}: ${message}.`, help)
}

/** The server's or the driver's own message, without a full stop, and what it means. */
export function describeConnectError(
  url: ConnectionString,
  error: unknown,
  folder: string = process.cwd(),
): { readonly message: string; readonly help: ConnectHelp | undefined } {
  const own = originOf(error)
  const message = withPlainTexts(messageOf(own)).replace(/\.$/, '')
  return { message, help: explainConnectError(own, { url, folder }) }
}

/** The driver's error: pools wrap it and add advice for apps. For several addresses, the first address counts. */
export function originOf(error: unknown): unknown {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return cause instanceof AggregateError && cause.errors.length > 0 ? cause.errors[0] : cause
}

/** The help as lines of text; none for an unknown cause. */
function printHelp(help: ConnectHelp | undefined): readonly string[] {
  if (!help) return []
  return [
    wrapBehind(t`  Why:    `, help.meaning),
    ...help.now.flatMap(({ text, run }) => [wrapBehind(t`  Now:    `, text), `    ${run}`]),
    wrapBehind(t`  Change: `, help.remedy),
    wrapBehind(t`  More:   `, help.page),
  ]
}
