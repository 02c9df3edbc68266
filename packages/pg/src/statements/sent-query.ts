import type { PreparedText, StatementFailure } from '@poolguard/core/adapter'
import type { BindMessage, NoData, ParseMessage, RowDescription } from '../wire-client.ts'

/** A query that pg has sent to be parsed, but not bound yet. Its values decide whether it uses a name. */
export interface UnboundQuery {
  readonly message: ParseMessage
  readonly statement: PreparedText
}

/** A query that was sent with a name. */
export interface SentQuery {
  readonly statement: PreparedText
  readonly name: string
  /** True while ParseComplete is outstanding. */
  parsing: boolean
  /** The bind message, with the values as sent. */
  readonly binding: BindMessage
  /** True after BindComplete: the query may have run. */
  bound: boolean
  /** The known row description, if none was requested for this query. */
  rows: Rows | undefined
  /** True if the rows are fetched in pages. */
  paged: boolean
  /** True if the Parse of its name, which was sent ahead of it, has failed. */
  orphaned: boolean
}

/** The row description of a statement, and the requested format. */
export interface Rows {
  readonly message: RowDescription | NoData
  readonly binary: boolean
}

/** A query that the server rejected before it ran any part of it. pg has not seen the error yet. */
export interface RejectedQuery {
  readonly sent: SentQuery
  readonly failure: StatementFailure
  readonly error: unknown
}

/** pg passes the fields on to the caller, who may change them. */
export function copyOf(message: RowDescription | NoData): RowDescription | NoData {
  if (message.name === 'noData') return message
  return { ...message, fields: message.fields.map((field) => ({ ...field })) }
}

/** True for an unnamed query of pg. Its parse message has `types`; the messages of cursors and other query objects have none. */
export function isUnnamedQuery(message: ParseMessage): boolean {
  return (message.name === undefined || message.name === null) && 'types' in message && !message.types?.length
}
