import type { AutomaticStatements } from '@poolguard/core/adapter'
import type { WireClient } from '../wire-client.ts'
import { PreparingSession } from './preparing-session.ts'
import type { RejectedQuery } from './sent-query.ts'
import { StatementAnswers } from './statement-answers.ts'
import { StatementSender } from './statement-sender.ts'

/** The statements that a connection has sent. */
export interface SentStatements {
  readonly lastText: string
  /**
   * The query that the server has rejected with this error because of its name, before it ran any part of it, if other queries were
   * already sent behind it: then it is the caller's turn to send it again. Undefined for any other error.
   */
  refusedWith(error: unknown): RejectedQuery | undefined
  /** Sends a refused query again without a name. `send` calls pg. */
  resend(refused: RejectedQuery, send: () => void): void
}

/**
 * Prepares a connection's statements automatically. It intercepts the messages between pg and its connection: pg sends an unnamed
 * query, and the server receives a named statement. Applications and ORMs need no change.
 */
export function prepareStatements({ connection: wire }: WireClient, statements: AutomaticStatements): SentStatements {
  const session = new PreparingSession(wire, statements)
  const sender = new StatementSender(session)
  const answers = new StatementAnswers(session, (rejected) => sender.retry(rejected))
  wire.query = (text) => sender.query(text)
  wire.parse = (message) => sender.parse(message)
  wire.bind = (message) => sender.bind(message)
  wire.describe = (message) => sender.describe(message)
  wire.execute = (message) => sender.execute(message)
  wire.sync = () => sender.sync()
  wire.emit = (event: string, first?: unknown, second?: unknown) => answers.emit(event, first, second)
  return {
    get lastText() {
      return session.changes.text
    },
    refusedWith: (error) => answers.refusedWith(error),
    resend: (refused, send) => sender.resend(refused, send),
  }
}
