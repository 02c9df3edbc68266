import {
  type AutomaticStatements,
  ConnectionStatements,
  classifyStatementFailure,
  type PreparedText,
  type StatementFailure,
} from '@poolguard/core/adapter'
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
export function prepareStatements({ connection: wire }: WireClient, statements: AutomaticStatements): SentTexts {
  const preparer = new StatementPreparer(wire, statements)
  wire.query = (text) => preparer.query(text)
  wire.parse = (message) => preparer.parse(message)
  wire.bind = (message) => preparer.bind(message)
  wire.describe = (message) => preparer.describe(message)
  wire.execute = (message) => preparer.execute(message)
  wire.emit = (event: string, first?: unknown, second?: unknown) => preparer.emit(event, first, second)
  return preparer
}

/** The texts that a connection has sent. */
export interface SentTexts {
  readonly lastText: string
}

class StatementPreparer implements SentTexts {
  readonly #wire: WireConnection
  readonly #statements: AutomaticStatements
  readonly #prepared: ConnectionStatements<Rows>
  readonly #changes: SessionChanges
  readonly #typeQuestion: TypeQuestion
  /** The original methods of pg's connection. */
  readonly #pg: Pick<WireConnection, 'query' | 'parse' | 'bind' | 'describe' | 'execute' | 'emit'>
  #unbound: UnboundQuery | undefined
  #sent: SentQuery | undefined
  /** The statement whose name this connection uses in a transaction on trial. */
  #onTrial: PreparedText | undefined
  #rejected: RejectedQuery | undefined
  /** The query that was sent again without a name. */
  #retried: RejectedQuery | undefined

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
      emit: wire.emit.bind(wire),
    }
    this.#typeQuestion = new TypeQuestion(statements, this.#prepared, this.#pg.describe)
  }

  get lastText(): string {
    return this.#changes.text
  }

  query(text: string): void {
    this.#changes.onSend(text)
    if (this.#statements.keepsRows) this.#sendClosing()
    this.#pg.query(text)
  }

  parse(message: ParseMessage): void {
    this.#sent = undefined
    const statement =
      this.#statements.active && isUnnamedQuery(message) ? this.#statements.find(message.text) : undefined
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
      if (this.#statements.asksForTypes(statement, now)) this.#typeQuestion.send(statement, '', now)
      this.#pg.bind(message)
      return
    }
    let mapped: readonly unknown[]
    try {
      // Map the values only once, so that a retry sends the same values.
      mapped = valueMapper ? values.map(valueMapper) : values
    } catch (error) {
      // Leave pg in the same state as without automatic preparing: parse is sent, bind has thrown.
      this.#endTrial()
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
    this.#onTrial = statement
    return true
  }

  #endTrial(): void {
    this.#onTrial?.endTrial()
    this.#onTrial = undefined
  }

  #bindByName({ message, statement }: UnboundQuery, binding: BindMessage, now: number): void {
    const { name } = statement
    const parsing = this.#prepared.use(name)
    this.#sendClosing()
    if (parsing) {
      this.#pg.parse({ text: message.text, name, types: message.types })
      // Only without a pooler: a pooler may answer for a server that parsed the statement earlier.
      if (this.#statements.keepsRows && this.#statements.asksForTypes(statement, now))
        this.#typeQuestion.send(statement, name, now)
    }
    this.#sent = { statement, name, parsing, binding, bound: false, rows: undefined, paged: false }
    this.#pg.bind({ ...binding, statement: name })
  }

  #sendClosing(): void {
    for (const name of this.#prepared.takeClosing()) this.#wire.close({ type: 'S', name })
  }

  /** Requests the row description only if it is not known already. */
  describe(message: { type: 'S' | 'P'; name: string }): void {
    const sent = this.#sent
    const rows = sent && this.#statements.keepsRows ? this.#prepared.rowsOf(sent.name) : undefined
    if (sent && rows && rows.binary === sent.binding.binary) sent.rows = rows
    else this.#pg.describe(message)
  }

  execute(message: { portal: string; rows: number | undefined }): void {
    if (this.#sent && message.rows) this.#sent.paged = true
    this.#pg.execute(message)
  }

  /** Handles the server's messages before pg does. Returns the result of pg's `emit`. */
  emit(event: string, message: unknown, second: unknown): boolean {
    switch (event) {
      case 'dataRow':
        break
      case 'parseComplete':
        if (this.#sent) this.#sent.parsing = false
        break
      case 'bindComplete':
        this.#onBound()
        if (this.#sent?.rows) return this.#emitKnownRows(this.#sent.rows, message)
        break
      case 'parameterDescription':
        this.#typeQuestion.onAnswer(message as ParameterDescription)
        break
      case 'rowDescription':
      case 'noData':
        if (this.#typeQuestion.takeRows()) return true
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
        if (this.#retry((message as { status: string }).status)) return true
        break
      case 'error':
      case 'end':
        this.#endTrial()
        this.#emitHeldError()
        break
    }
    return this.#pg.emit(event, message, second)
  }

  #onBound(): void {
    if (this.#sent) this.#sent.bound = true
    this.#endTrial()
    // The server accepts the query without a name, so the prepared statement was the cause of the error.
    if (this.#retried?.failure === 'suspect')
      this.#statements.onFailure('stale', this.#retried.sent.statement.text, this.#retried.sent.name)
    this.#retried = undefined
  }

  #rememberRows(message: RowDescription | NoData): void {
    const { name, binding } = this.#sent ?? {}
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
    const sent = this.#sent
    this.#sent = undefined
    this.#retried = undefined
    this.#typeQuestion.forget()
    this.#endTrial()
    if (!sent || sent.bound) return false
    const failure = classifyStatementFailure(error)
    if (sent.parsing) {
      this.#prepared.onParseError(sent.name)
      // A text that the server cannot parse fails without a name, too.
      if (failure !== 'lost') return false
    }
    if (!failure) return false
    this.#learn(failure, sent, error)
    // pg sends no Sync after this error, and would never receive ReadyForQuery.
    if (sent.paged) {
      this.#wire.sync()
      return false
    }
    this.#rejected = { sent, failure, error }
    return true
  }

  /** If the caller may be at fault, only a retry without a name can tell, and a transaction allows no retry. */
  #learn(failure: StatementFailure, { statement, name }: SentQuery, error: unknown): void {
    const { text } = statement
    if (failure !== 'lost' && this.#changes.inTransaction)
      this.#statements.onFailureInTransaction(failure, text, (error as { code?: unknown }).code)
    else if (failure !== 'suspect') this.#statements.onFailure(failure, text, name)
  }

  /** Retries the rejected query when the server is ready, except in a transaction. Returns true if the query was sent again. */
  #retry(status: string): boolean {
    const rejected = this.#rejected
    this.#sent = undefined
    if (!rejected) return false
    if (status !== 'I') {
      this.#prepared.invalidate(rejected.sent.name)
      this.#emitHeldError()
      return false
    }
    this.#rejected = undefined
    this.#retried = rejected
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
    this.#wire.sync()
    stream.uncork?.()
  }

  /** Emits the error that was held back. */
  #emitHeldError(): void {
    const rejected = this.#rejected
    this.#rejected = undefined
    if (rejected) this.#pg.emit('errorMessage', rejected.error)
  }

  /** Notices `DISCARD ALL` and `DEALLOCATE`, also those of the app; `DEALLOCATE` may have dropped one of poolguard's statements. */
  #onCommandComplete(tag: string): void {
    this.#changes.onCommandComplete(tag)
    if (tag === 'DISCARD ALL' || tag === 'DEALLOCATE ALL') this.#prepared.clear()
    else if (tag === 'DEALLOCATE') this.#prepared.invalidateAll()
  }
}
