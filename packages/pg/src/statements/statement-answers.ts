import type { StatementFailure } from '@poolguard/core/adapter'
import { classifyStatementFailure } from '@poolguard/core/connection'
import type { NoData, ParameterDescription, ParameterStatus, RowDescription, WireConnection } from '../wire-client.ts'
import type { PreparingSession } from './preparing-session.ts'
import type { Round } from './rounds.ts'
import { copyOf, type RejectedQuery, type Rows, type SentQuery } from './sent-query.ts'

/** Reads the server's messages before pg does. An error that comes from a statement's name does not reach pg if the query can be sent again. */
export class StatementAnswers {
  readonly #session: PreparingSession
  readonly #emitToPg: WireConnection['emit']
  readonly #retry: (rejected: RejectedQuery) => void
  /** The queries that were rejected while others were sent behind them, by their errors. */
  readonly #refused = new WeakMap<object, RejectedQuery>()

  /** @param retry sends a rejected query again without a name. */
  constructor(session: PreparingSession, retry: (rejected: RejectedQuery) => void) {
    this.#session = session
    this.#emitToPg = session.pg.emit
    this.#retry = retry
  }

  refusedWith(error: unknown): RejectedQuery | undefined {
    return typeof error === 'object' && error !== null ? this.#refused.get(error) : undefined
  }

  /** Replaces the `emit` of pg's connection. Returns the result of pg's `emit`. */
  emit(event: string, message: unknown, second: unknown): boolean {
    const session = this.#session
    switch (event) {
      case 'dataRow':
        break
      case 'parseComplete':
        this.#onParsed()
        break
      case 'bindComplete': {
        const rows = this.#onBound()
        if (rows) return this.#emitKnownRows(rows, message)
        break
      }
      case 'parameterDescription':
        session.rounds.answering?.question?.onAnswer(message as ParameterDescription)
        break
      case 'rowDescription':
      case 'noData':
        if (session.rounds.answering?.question?.takeRows()) return true
        this.#rememberRows(message as RowDescription | NoData)
        break
      case 'commandComplete':
        this.#onCommandComplete((message as { text: string }).text)
        break
      case 'parameterStatus':
        session.changes.onParameterStatus(message as ParameterStatus)
        break
      case 'errorMessage':
        if (this.#holdBack(message)) return true
        break
      case 'readyForQuery':
        session.changes.onReady((message as { status: string }).status)
        if (this.#endRound((message as { status: string }).status)) return true
        break
      case 'error':
      case 'end':
        for (const round of session.rounds.takeAll()) {
          round.endTrial()
          this.#emitHeldError(round)
        }
        break
    }
    return this.#emitToPg(event, message, second)
  }

  #onParsed(): void {
    const sent = this.#session.rounds.answering?.sent
    if (sent) sent.parsing = false
  }

  /** @returns the known row description, if none was requested. */
  #onBound(): Rows | undefined {
    const { rounds, statements } = this.#session
    const round = rounds.answering
    if (!round) return undefined
    if (round.sent) round.sent.bound = true
    round.endTrial()
    // The server accepts the query without a name, so the prepared statement was the cause of the error.
    if (round.retried?.failure === 'suspect')
      statements.onFailure('stale', round.retried.sent.statement.text, round.retried.sent.name)
    round.retried = undefined
    return round.sent?.rows
  }

  #rememberRows(message: RowDescription | NoData): void {
    const { rounds, statements, prepared } = this.#session
    const { name, binding } = rounds.answering?.sent ?? {}
    if (name !== undefined && binding && statements.keepsRows)
      prepared.keepRowsOf(name, { message: copyOf(message), binary: binding.binary })
  }

  /** Emits the known row description to pg, as if the server had sent it. */
  #emitKnownRows({ message }: Rows, bindComplete: unknown): boolean {
    this.#emitToPg('bindComplete', bindComplete)
    return this.#emitToPg(message.name, copyOf(message))
  }

  /** Notices `DISCARD ALL` and `DEALLOCATE`, also those of the app; `DEALLOCATE` may have dropped one of poolguard's statements. */
  #onCommandComplete(tag: string): void {
    const { changes, prepared } = this.#session
    changes.onCommandComplete(tag)
    if (tag === 'DISCARD ALL' || tag === 'DEALLOCATE ALL') prepared.clear()
    else if (tag === 'DEALLOCATE') prepared.invalidateAll()
  }

  /** Holds back an error until ReadyForQuery if the query may be retried then. Returns true if pg must not see the error yet. */
  #holdBack(error: unknown): boolean {
    const { rounds, prepared, wire } = this.#session
    const round = rounds.answering
    const sent = round?.sent
    if (!round) return false
    round.sent = undefined
    round.retried = undefined
    round.question = undefined
    round.endTrial()
    if (!sent || sent.bound) return false
    const failure = classifyStatementFailure(error)
    if (sent.parsing) {
      prepared.onParseError(sent.name)
      rounds.orphan(sent.name)
      // A text that the server cannot parse fails without a name, too.
      if (failure !== 'lost') return false
    }
    if (!failure) return false
    // The name of an orphaned query never came into being: nothing was lost.
    if (!sent.orphaned || failure !== 'lost') this.#learn(failure, sent, error)
    // pg sends no Sync after this error, and would never receive ReadyForQuery.
    if (sent.paged) {
      wire.sync()
      return false
    }
    round.rejected = { sent, failure, error }
    return true
  }

  /** If the caller may be at fault, only a retry without a name can tell, and a transaction allows no retry. */
  #learn(failure: StatementFailure, { statement, name }: SentQuery, error: unknown): void {
    const { changes, statements } = this.#session
    const { text } = statement
    if (failure !== 'lost' && changes.inTransaction)
      statements.onFailureInTransaction(failure, text, (error as { code?: unknown }).code)
    else if (failure !== 'suspect') statements.onFailure(failure, text, name)
  }

  /**
   * Ends the answered round. Retries its query if it was rejected, except in a transaction, and except if other queries follow it: then
   * it is marked as refused. Returns true if the query was sent again.
   */
  #endRound(status: string): boolean {
    const { rounds, prepared } = this.#session
    const round = rounds.answering
    // The first answer of a connection, after the login, belongs to no round.
    if (!round?.isComplete) return false
    rounds.endAnswering()
    const { rejected } = round
    if (!rejected) return false
    if (status === 'I' && rounds.isEmpty) {
      this.#retry(rejected)
      return true
    }
    if (status !== 'I') prepared.invalidate(rejected.sent.name)
    else this.#refused.set(rejected.error as object, rejected)
    this.#emitHeldError(round)
    return false
  }

  /** Emits the error that was held back. */
  #emitHeldError(round: Round): void {
    const { rejected } = round
    round.rejected = undefined
    if (rejected) this.#emitToPg('errorMessage', rejected.error)
  }
}
