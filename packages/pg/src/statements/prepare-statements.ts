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
import { copyOf, type Held, isOfQuery, type Refused, type Rows, type Sent } from './sent-query.ts'
import { SessionChanges } from './session-changes.ts'
import { TypeQuestion } from './type-question.ts'

/**
 * Prepares a connection's statements under names of the pool's choice. It stands between pg and its connection: pg sends a
 * query without a name, and goes on believing that it did, so that whoever queries through pg, an ORM say, need not know.
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

/** What is known of the texts that a connection has sent. */
export interface SentTexts {
  readonly lastText: string
}

class StatementPreparer implements SentTexts {
  readonly #wire: WireConnection
  readonly #statements: AutomaticStatements
  readonly #prepared: ConnectionStatements<Rows>
  readonly #changes: SessionChanges
  readonly #question: TypeQuestion
  readonly #pg: Pick<WireConnection, 'query' | 'parse' | 'bind' | 'describe' | 'execute' | 'emit'>
  #held: Held | undefined
  #sent: Sent | undefined
  /** What this connection tries in a transaction. */
  #tried: PreparedText | undefined
  #refused: Refused | undefined
  /** What is under way once more, without its name. */
  #again: Refused | undefined

  constructor(wire: WireConnection, statements: AutomaticStatements) {
    this.#wire = wire
    this.#statements = statements
    this.#prepared = new ConnectionStatements<Rows>(statements)
    this.#changes = new SessionChanges({
      settingsChanged: () => this.#prepared.doubt(),
      schemaChanged: () => statements.renew(),
    })
    this.#pg = {
      query: wire.query.bind(wire),
      parse: wire.parse.bind(wire),
      bind: wire.bind.bind(wire),
      describe: wire.describe.bind(wire),
      execute: wire.execute.bind(wire),
      emit: wire.emit.bind(wire),
    }
    this.#question = new TypeQuestion(statements, this.#prepared, this.#pg.describe)
  }

  get lastText(): string {
    return this.#changes.text
  }

  query(text: string): void {
    this.#changes.sending(text)
    if (this.#statements.keepsRows) this.#sendClosing()
    this.#pg.query(text)
  }

  parse(message: ParseMessage): void {
    this.#sent = undefined
    const statement = this.#statements.active && isOfQuery(message) ? this.#statements.find(message.text) : undefined
    if (statement) {
      this.#changes.text = message.text
      this.#held = { message, statement }
      return
    }
    this.#changes.sending(message.text)
    this.#sendClosing()
    this.#pg.parse(message)
  }

  bind(message: BindMessage): void {
    const held = this.#held
    if (!held) {
      this.#pg.bind(message)
      return
    }
    this.#held = undefined
    const { portal, binary, valueMapper } = message
    const values = message.values ?? []
    const now = this.#statements.now()
    const { statement } = held
    if (!this.#mayName(statement, values, now)) {
      this.#sendClosing()
      this.#pg.parse(held.message)
      if (this.#statements.asksForTypes(statement, now)) this.#question.ask(statement, '', now)
      this.#pg.bind(message)
      return
    }
    let mapped: readonly unknown[]
    try {
      // Once, so that what might be sent again is what was sent.
      mapped = valueMapper ? values.map(valueMapper) : values
    } catch (error) {
      // What cannot be sent leaves pg where it would be without names.
      this.#endTrial()
      this.#pg.parse(held.message)
      throw error
    }
    this.#bindByName(held, { portal, values: mapped, binary }, now)
  }

  /** Where it is parsed in the same message, and no pooler answers for the server, it is what it would be without a name. */
  #mayName(statement: PreparedText, values: readonly unknown[], now: number): boolean {
    const isInTransaction = this.#changes.inTransaction
    if (isInTransaction && (this.#changes.changedInTransaction || !this.#statements.mayNameInTransaction(now)))
      return false
    if (this.#statements.keepsRows && !this.#prepared.has(statement.name)) return true
    if (!this.#statements.allows(statement, values, now)) return false
    if (!isInTransaction) return true
    if (!statement.beginTrial()) return false
    this.#tried = statement
    return true
  }

  #endTrial(): void {
    this.#tried?.endTrial()
    this.#tried = undefined
  }

  #bindByName({ message, statement }: Held, binding: BindMessage, now: number): void {
    const { name } = statement
    const parsing = this.#prepared.use(name)
    this.#sendClosing()
    if (parsing) {
      this.#pg.parse({ text: message.text, name, types: message.types })
      // A pooler may answer for a server that has parsed it long ago.
      if (this.#statements.keepsRows && this.#statements.asksForTypes(statement, now))
        this.#question.ask(statement, name, now)
    }
    this.#sent = { statement, name, parsing, binding, bound: false, rows: undefined, paged: false }
    this.#pg.bind({ ...binding, statement: name })
  }

  #sendClosing(): void {
    for (const name of this.#prepared.takeClosing()) this.#wire.close({ type: 'S', name })
  }

  /** Asks how the rows look only where that is not known already. */
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

  /** What the server says, before pg hears of it; whether anybody has heard. */
  emit(event: string, message: unknown, second: unknown): boolean {
    switch (event) {
      case 'dataRow':
        break
      case 'parseComplete':
        if (this.#sent) this.#sent.parsing = false
        break
      case 'bindComplete':
        this.#bound()
        if (this.#sent?.rows) return this.#tellOf(this.#sent.rows, message)
        break
      case 'parameterDescription':
        this.#question.answered(message as ParameterDescription)
        break
      case 'rowDescription':
      case 'noData':
        if (this.#question.takeRows()) return true
        this.#keep(message as RowDescription | NoData)
        break
      case 'commandComplete':
        this.#noticeDropped((message as { text: string }).text)
        break
      case 'parameterStatus':
        this.#changes.reported(message as ParameterStatus)
        break
      case 'errorMessage':
        if (this.#holds(message)) return true
        break
      case 'readyForQuery':
        this.#changes.ready((message as { status: string }).status)
        if (this.#sendsAgain((message as { status: string }).status)) return true
        break
      case 'error':
      case 'end':
        this.#endTrial()
        this.#tell()
        break
    }
    return this.#pg.emit(event, message, second)
  }

  #bound(): void {
    if (this.#sent) this.#sent.bound = true
    this.#endTrial()
    // Without its name it was not refused: so that is what was wrong.
    if (this.#again?.failure === 'suspect')
      this.#statements.failed('stale', this.#again.sent.statement.text, this.#again.sent.name)
    this.#again = undefined
  }

  #keep(message: RowDescription | NoData): void {
    const { name, binding } = this.#sent ?? {}
    if (name !== undefined && binding && this.#statements.keepsRows)
      this.#prepared.keepRowsOf(name, { message: copyOf(message), binary: binding.binary })
  }

  /** pg hears of the rows as if the server had said it again. */
  #tellOf({ message }: Rows, bindComplete: unknown): boolean {
    this.#pg.emit('bindComplete', bindComplete)
    return this.#pg.emit(message.name, copyOf(message))
  }

  /** Keeps an error to itself until the server has come to rest, where the query may then be sent again. */
  #holds(error: unknown): boolean {
    const sent = this.#sent
    this.#sent = undefined
    this.#again = undefined
    this.#question.forget()
    this.#endTrial()
    if (!sent || sent.bound) return false
    const failure = classifyStatementFailure(error)
    if (sent.parsing) {
      this.#prepared.refused(sent.name)
      // What the server will not parse now it would not parse without a name.
      if (failure !== 'lost') return false
    }
    if (!failure) return false
    this.#learn(failure, sent, error)
    // pg does not end such a round, and would wait for ever for the server to come to rest.
    if (sent.paged) {
      this.#wire.sync()
      return false
    }
    this.#refused = { sent, failure, error }
    return true
  }

  /** Of what may be the caller's fault, only sending it again tells; in a transaction that cannot be done. */
  #learn(failure: StatementFailure, { statement, name }: Sent, error: unknown): void {
    const { text } = statement
    if (failure !== 'lost' && this.#changes.inTransaction)
      this.#statements.failedInTransaction(failure, text, (error as { code?: unknown }).code)
    else if (failure !== 'suspect') this.#statements.failed(failure, text, name)
  }

  /** The server is at rest: after an error that is with a transaction open, or with none. */
  #sendsAgain(status: string): boolean {
    const refused = this.#refused
    this.#sent = undefined
    if (!refused) return false
    if (status !== 'I') {
      this.#prepared.doubtOne(refused.sent.name)
      this.#tell()
      return false
    }
    this.#refused = undefined
    this.#again = refused
    this.#send(refused.sent)
    return true
  }

  /** Without a name, so that it depends on nothing that the server might not have. */
  #send({ statement, binding }: Sent): void {
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

  /** The error that was kept is pg's after all. */
  #tell(): void {
    const refused = this.#refused
    this.#refused = undefined
    if (refused) this.#pg.emit('errorMessage', refused.error)
  }

  /** `DISCARD ALL` and `DEALLOCATE`, whoever sent them; the latter may have meant one of ours. */
  #noticeDropped(tag: string): void {
    this.#changes.completed(tag)
    if (tag === 'DISCARD ALL' || tag === 'DEALLOCATE ALL') this.#prepared.forget()
    else if (tag === 'DEALLOCATE') this.#prepared.doubt()
  }
}
