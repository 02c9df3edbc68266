import type { AutomaticStatements, PreparedText, StatementFailure } from '@poolguard/core/adapter'
import { ConnectionStatements, classifyStatementFailure } from '@poolguard/core/connection'
import type {
  BindMessage,
  NoData,
  ParameterDescription,
  ParameterStatus,
  ParseMessage,
  RowDescription,
  WireClient,
  WireConnection,
} from '../wire-client.ts'
import {
  copyOf,
  isUnnamedQuery,
  type RejectedQuery,
  Round,
  type Rows,
  type SentQuery,
  type UnboundQuery,
} from './sent-query.ts'
import { SessionChanges } from './session-changes.ts'
import { TypeQuestion } from './type-question.ts'

/**
 * Prepares a connection's statements automatically. It intercepts the messages between pg and its connection: pg sends an unnamed
 * query, and the server receives a named statement. Applications and ORMs need no change.
 */
export function prepareStatements({ connection: wire }: WireClient, statements: AutomaticStatements): SentStatements {
  const preparer = new StatementPreparer(wire, statements)
  wire.query = (text) => preparer.query(text)
  wire.parse = (message) => preparer.parse(message)
  wire.bind = (message) => preparer.bind(message)
  wire.describe = (message) => preparer.describe(message)
  wire.execute = (message) => preparer.execute(message)
  wire.sync = () => preparer.sync()
  wire.emit = (event: string, first?: unknown, second?: unknown) => preparer.emit(event, first, second)
  return preparer
}

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

class StatementPreparer implements SentStatements {
  readonly #wire: WireConnection
  readonly #statements: AutomaticStatements
  readonly #prepared: ConnectionStatements<Rows>
  readonly #changes: SessionChanges
  /** The original methods of pg's connection. */
  readonly #pg: Pick<WireConnection, 'query' | 'parse' | 'bind' | 'describe' | 'execute' | 'sync' | 'emit'>
  #unbound: UnboundQuery | undefined
  /** The rounds that are not answered, in order; the last one may be incomplete. */
  readonly #rounds: Round[] = []
  /** Set while pg sends a refused query again. */
  #resending: RejectedQuery | undefined
  readonly #refused = new WeakMap<object, RejectedQuery>()

  constructor(wire: WireConnection, statements: AutomaticStatements) {
    this.#wire = wire
    this.#statements = statements
    this.#prepared = new ConnectionStatements<Rows>(statements)
    this.#changes = new SessionChanges({
      onSettingsChanged: () => this.#prepared.invalidateAll(),
      onSchemaChanged: () => statements.invalidateAll(),
    })
    this.#pg = {
      query: wire.query.bind(wire),
      parse: wire.parse.bind(wire),
      bind: wire.bind.bind(wire),
      describe: wire.describe.bind(wire),
      execute: wire.execute.bind(wire),
      sync: wire.sync.bind(wire),
      emit: wire.emit.bind(wire),
    }
  }

  /** The round that is being sent. */
  get #writing(): Round {
    const last = this.#rounds.at(-1)
    if (last && !last.isComplete) return last
    const round = new Round()
    this.#rounds.push(round)
    return round
  }

  /** The round that the server is answering. */
  get #answering(): Round | undefined {
    return this.#rounds[0]
  }

  get lastText(): string {
    return this.#changes.text
  }

  query(text: string): void {
    this.#changes.onSend(text)
    if (this.#statements.keepsRows) this.#sendClosing()
    this.#writing.isComplete = true
    this.#pg.query(text)
  }

  sync(): void {
    this.#writing.isComplete = true
    this.#pg.sync()
  }

  refusedWith(error: unknown): RejectedQuery | undefined {
    return typeof error === 'object' && error !== null ? this.#refused.get(error) : undefined
  }

  resend(refused: RejectedQuery, send: () => void): void {
    this.#resending = refused
    try {
      send()
    } finally {
      this.#resending = undefined
    }
  }

  parse(message: ParseMessage): void {
    const round = this.#writing
    round.sent = undefined
    round.retried = this.#resending
    const mayUseName = this.#statements.active && isUnnamedQuery(message) && !this.#resending
    const statement = mayUseName ? this.#statements.find(message.text) : undefined
    if (statement) {
      this.#changes.text = message.text
      this.#unbound = { message, statement }
      return
    }
    this.#changes.onSend(message.text)
    this.#sendClosing()
    this.#pg.parse(message)
  }

  bind(message: BindMessage): void {
    const unbound = this.#unbound
    if (!unbound) {
      this.#pg.bind(message)
      return
    }
    this.#unbound = undefined
    const { portal, binary, valueMapper } = message
    const values = message.values ?? []
    const now = this.#statements.now()
    const { statement } = unbound
    if (!this.#canUseName(statement, values, now)) {
      this.#sendClosing()
      this.#pg.parse(unbound.message)
      if (this.#statements.asksForTypes(statement, now)) this.#askTypes(statement, '', now)
      this.#pg.bind(message)
      return
    }
    let mapped: readonly unknown[]
    try {
      // Map the values only once, so that a retry sends the same values.
      mapped = valueMapper ? values.map(valueMapper) : values
    } catch (error) {
      // Leave pg in the same state as without automatic preparing: parse is sent, bind has thrown.
      this.#writing.endTrial()
      this.#pg.parse(unbound.message)
      throw error
    }
    this.#bindByName(unbound, { portal, values: mapped, binary }, now)
  }

  /** A statement that is parsed in this round, with no pooler in between, always behaves as it would without a name. */
  #canUseName(statement: PreparedText, values: readonly unknown[], now: number): boolean {
    const isInTransaction = this.#changes.inTransaction
    if (isInTransaction && (this.#changes.changedInTransaction || !this.#statements.mayNameInTransaction(now)))
      return false
    if (this.#statements.keepsRows && !this.#prepared.has(statement.name)) return true
    if (!this.#statements.allows(statement, values, now)) return false
    if (!isInTransaction) return true
    if (!statement.beginTrial()) return false
    this.#writing.onTrial = statement
    return true
  }

  /** @param name of the statement in the parse message; empty if it has none. */
  #askTypes(statement: PreparedText, name: string, now: number): void {
    this.#writing.question = new TypeQuestion(this.#statements, this.#prepared, statement, now)
    this.#pg.describe({ type: 'S', name })
  }

  #bindByName({ message, statement }: UnboundQuery, binding: BindMessage, now: number): void {
    const { name } = statement
    const parsing = this.#prepared.use(name)
    this.#sendClosing()
    if (parsing) {
      this.#pg.parse({ text: message.text, name, types: message.types })
      // Only without a pooler: a pooler may answer for a server that parsed the statement earlier.
      if (this.#statements.keepsRows && this.#statements.asksForTypes(statement, now))
        this.#askTypes(statement, name, now)
    }
    this.#writing.sent = {
      ...{ statement, name, parsing, binding },
      ...{ bound: false, rows: undefined, paged: false, orphaned: false },
    }
    this.#pg.bind({ ...binding, statement: name })
  }

  #sendClosing(): void {
    for (const name of this.#prepared.takeClosing()) this.#wire.close({ type: 'S', name })
  }

  /** Requests the row description only if it is not known already. */
  describe(message: { type: 'S' | 'P'; name: string }): void {
    const { sent } = this.#writing
    const rows = sent && this.#statements.keepsRows ? this.#prepared.rowsOf(sent.name) : undefined
    if (sent && rows && rows.binary === sent.binding.binary) sent.rows = rows
    else this.#pg.describe(message)
  }

  execute(message: { portal: string; rows: number | undefined }): void {
    const { sent } = this.#writing
    if (sent && message.rows) sent.paged = true
    this.#pg.execute(message)
  }

  /** Handles the server's messages before pg does. Returns the result of pg's `emit`. */
  emit(event: string, message: unknown, second: unknown): boolean {
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
        this.#answering?.question?.onAnswer(message as ParameterDescription)
        break
      case 'rowDescription':
      case 'noData':
        if (this.#answering?.question?.takeRows()) return true
        this.#rememberRows(message as RowDescription | NoData)
        break
      case 'commandComplete':
        this.#onCommandComplete((message as { text: string }).text)
        break
      case 'parameterStatus':
        this.#changes.onParameterStatus(message as ParameterStatus)
        break
      case 'errorMessage':
        if (this.#holdBack(message)) return true
        break
      case 'readyForQuery':
        this.#changes.onReady((message as { status: string }).status)
        if (this.#endRound((message as { status: string }).status)) return true
        break
      case 'error':
      case 'end':
        for (const round of this.#rounds.splice(0)) {
          round.endTrial()
          this.#emitHeldError(round)
        }
        break
    }
    return this.#pg.emit(event, message, second)
  }

  #onParsed(): void {
    const sent = this.#answering?.sent
    if (sent) sent.parsing = false
  }

  /** @returns the known row description, if none was requested. */
  #onBound(): Rows | undefined {
    const round = this.#answering
    if (!round) return undefined
    if (round.sent) round.sent.bound = true
    round.endTrial()
    // The server accepts the query without a name, so the prepared statement was the cause of the error.
    if (round.retried?.failure === 'suspect')
      this.#statements.onFailure('stale', round.retried.sent.statement.text, round.retried.sent.name)
    round.retried = undefined
    return round.sent?.rows
  }

  #rememberRows(message: RowDescription | NoData): void {
    const { name, binding } = this.#answering?.sent ?? {}
    if (name !== undefined && binding && this.#statements.keepsRows)
      this.#prepared.keepRowsOf(name, { message: copyOf(message), binary: binding.binary })
  }

  /** Emits the known row description to pg, as if the server had sent it. */
  #emitKnownRows({ message }: Rows, bindComplete: unknown): boolean {
    this.#pg.emit('bindComplete', bindComplete)
    return this.#pg.emit(message.name, copyOf(message))
  }

  /** Holds back an error until ReadyForQuery if the query may be retried then. Returns true if pg must not see the error yet. */
  #holdBack(error: unknown): boolean {
    const round = this.#answering
    const sent = round?.sent
    if (!round) return false
    round.sent = undefined
    round.retried = undefined
    round.question = undefined
    round.endTrial()
    if (!sent || sent.bound) return false
    const failure = classifyStatementFailure(error)
    if (sent.parsing) {
      this.#prepared.onParseError(sent.name)
      for (const behind of this.#rounds) if (behind.sent?.name === sent.name) behind.sent.orphaned = true
      // A text that the server cannot parse fails without a name, too.
      if (failure !== 'lost') return false
    }
    if (!failure) return false
    // The name of an orphaned query never came into being: nothing was lost.
    if (!sent.orphaned || failure !== 'lost') this.#learn(failure, sent, error)
    // pg sends no Sync after this error, and would never receive ReadyForQuery.
    if (sent.paged) {
      this.#wire.sync()
      return false
    }
    round.rejected = { sent, failure, error }
    return true
  }

  /** If the caller may be at fault, only a retry without a name can tell, and a transaction allows no retry. */
  #learn(failure: StatementFailure, { statement, name }: SentQuery, error: unknown): void {
    const { text } = statement
    if (failure !== 'lost' && this.#changes.inTransaction)
      this.#statements.onFailureInTransaction(failure, text, (error as { code?: unknown }).code)
    else if (failure !== 'suspect') this.#statements.onFailure(failure, text, name)
  }

  /**
   * Ends the answered round. Retries its query if it was rejected, except in a transaction, and except if other queries follow it: then
   * it is marked as refused. Returns true if the query was sent again.
   */
  #endRound(status: string): boolean {
    const round = this.#answering
    // The first answer of a connection, after the login, belongs to no round.
    if (!round?.isComplete) return false
    this.#rounds.shift()
    const { rejected } = round
    if (!rejected) return false
    if (status !== 'I' || this.#rounds.length > 0) {
      if (status !== 'I') this.#prepared.invalidate(rejected.sent.name)
      else this.#refused.set(rejected.error as object, rejected)
      this.#emitHeldError(round)
      return false
    }
    this.#writing.retried = rejected
    this.#sendUnnamed(rejected.sent)
    return true
  }

  /** Sends a query without a name, so that it depends on no prepared statement. */
  #sendUnnamed({ statement, binding }: SentQuery): void {
    const { stream } = this.#wire
    const { portal } = binding
    stream.cork?.()
    this.#pg.parse({ text: statement.text })
    this.#pg.bind(binding)
    this.#pg.describe({ type: 'P', name: portal })
    this.#pg.execute({ portal, rows: undefined })
    this.sync()
    stream.uncork?.()
  }

  /** Emits the error that was held back. */
  #emitHeldError(round: Round): void {
    const { rejected } = round
    round.rejected = undefined
    if (rejected) this.#pg.emit('errorMessage', rejected.error)
  }

  /** Notices `DISCARD ALL` and `DEALLOCATE`, also those of the app; `DEALLOCATE` may have dropped one of poolguard's statements. */
  #onCommandComplete(tag: string): void {
    this.#changes.onCommandComplete(tag)
    if (tag === 'DISCARD ALL' || tag === 'DEALLOCATE ALL') this.#prepared.clear()
    else if (tag === 'DEALLOCATE') this.#prepared.invalidateAll()
  }
}
