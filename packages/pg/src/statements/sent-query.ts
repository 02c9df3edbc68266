import type { PreparedText, StatementFailure } from '@poolguard/core/adapter'
import type { BindMessage, NoData, ParseMessage, RowDescription } from '../wire-client.ts'

/** A query of which pg has said what to parse, and not yet with which values: these decide whether it goes by a name. */
export interface Held {
  readonly message: ParseMessage
  readonly statement: PreparedText
}

/** A query that was sent under a name. */
export interface Sent {
  readonly statement: PreparedText
  readonly name: string
  /** Whether it was sent to be parsed, and the server has not said yet that it was. */
  parsing: boolean
  /** What it was bound to, with its values as they were sent. */
  readonly binding: BindMessage
  /** From here on something may have been executed. */
  bound: boolean
  /** What the server has said of its rows before, and was not asked again. */
  rows: Rows | undefined
  /** Its rows are asked for page by page. */
  paged: boolean
}

/** How a statement's rows look, and in which format they were asked for. */
export interface Rows {
  readonly message: RowDescription | NoData
  readonly binary: boolean
}

/** One that was refused before anything of it was executed; pg has not heard of the error yet. */
export interface Refused {
  readonly sent: Sent
  readonly failure: StatementFailure
  readonly error: unknown
}

/** What pg hears ends in a caller's result, and is his to change. */
export function copyOf(message: RowDescription | NoData): RowDescription | NoData {
  if (message.name === 'noData') return message
  return { ...message, fields: message.fields.map((field) => ({ ...field })) }
}

/** pg's own queries say which types they take, be it none; cursors, and what else brings its own protocol, do not. */
export function isOfQuery(message: ParseMessage): boolean {
  return (message.name === undefined || message.name === null) && 'types' in message && !message.types?.length
}
