import {
  type AutomaticStatements,
  ConnectionStatements,
  classifyStatementFailure,
  type StatementFailure,
} from '@poolguard/core'
import type { BindMessage, NoData, ParseMessage, RowDescription, WireClient, WireConnection } from './wire-client.ts'

/**
 * Prepares a connection's statements under names of the pool's choice. It stands between pg and its connection: pg sends a
 * query without a name, and goes on believing that it did, so that whoever queries through pg, an ORM say, need not know.
 */
export function prepareStatements({ connection: wire }: WireClient, statements: AutomaticStatements): void {
  const preparer = new StatementPreparer(wire, statements)
  wire.parse = (message) => preparer.parse(message)
  wire.bind = (message) => preparer.bind(message)
  wire.describe = (message) => preparer.describe(message)
  wire.execute = (message) => preparer.execute(message)
  wire.emit = (event: string, first?: unknown, second?: unknown) => preparer.emit(event, first, second)
}

/** A query that was sent under a name. */
interface Sent {
  readonly name: string
  readonly text: string
  /** Whether it was sent to be parsed, and the server has not said yet that it was. */
  parsing: boolean
  /** What it was bound to, with its values as they were sent. */
  binding: BindMessage | undefined
  /** From here on something may have been executed. */
  bound: boolean
  /** What the server has said of its rows before, and was not asked again. */
  rows: Rows | undefined
  /** Its rows are asked for page by page. */
  paged: boolean
}

/** How a statement's rows look, and in which format they were asked for. */
interface Rows {
  readonly message: RowDescription | NoData
  readonly binary: boolean
}

/** One that was refused before anything of it was executed; pg has not heard of the error yet. */
interface Refused {
  readonly sent: Sent
  readonly failure: StatementFailure
  readonly error: unknown
}

class StatementPreparer {
  readonly #wire: WireConnection
  readonly #statements: AutomaticStatements
  readonly #prepared: ConnectionStatements<Rows>
  readonly #pg: Pick<WireConnection, 'parse' | 'bind' | 'describe' | 'execute' | 'emit'>
  #sent: Sent | undefined
  #refused: Refused | undefined
  /** What is under way once more, without its name. */
  #again: Refused | undefined
  /** Session settings by which literals are read, once, when a statement is parsed. */
  readonly #readBy = new Map<string, string>()

  constructor(wire: WireConnection, statements: AutomaticStatements) {
    this.#wire = wire
    this.#statements = statements
    this.#prepared = new ConnectionStatements<Rows>(statements)
    this.#pg = {
      parse: wire.parse.bind(wire),
      bind: wire.bind.bind(wire),
      describe: wire.describe.bind(wire),
      execute: wire.execute.bind(wire),
      emit: wire.emit.bind(wire),
    }
  }

  parse(message: ParseMessage): void {
    this.#sent = undefined
    const name = this.#statements.active && isOfQuery(message) ? this.#statements.nameOf(message.text) : undefined
    if (name === undefined) {
      this.#pg.parse(message)
      return
    }
    const parsing = this.#prepared.use(name)
    for (const closing of this.#prepared.takeClosing()) this.#wire.close({ type: 'S', name: closing })
    if (parsing) this.#pg.parse({ text: message.text, name, types: message.types })
    this.#sent = { name, text: message.text, parsing, binding: undefined, bound: false, rows: undefined, paged: false }
  }

  bind(message: BindMessage): void {
    const sent = this.#sent
    if (!sent) {
      this.#pg.bind(message)
      return
    }
    const { portal, binary, valueMapper } = message
    const values = message.values ?? []
    // Once, so that what might be sent again is what was sent.
    const mapped = valueMapper ? values.map(valueMapper) : values
    sent.binding = { portal, values: mapped, binary }
    this.#pg.bind({ portal, statement: sent.name, values: mapped, binary })
  }

  /** Asks how the rows look only where that is not known already. */
  describe(message: { type: 'S' | 'P'; name: string }): void {
    const sent = this.#sent
    const rows = sent && this.#statements.keepsRows ? this.#prepared.rowsOf(sent.name) : undefined
    if (sent && rows && rows.binary === sent.binding?.binary) sent.rows = rows
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
      case 'rowDescription':
      case 'noData':
        this.#keep(message as RowDescription | NoData)
        break
      case 'commandComplete':
        this.#noticeDropped((message as { text: string }).text)
        break
      case 'parameterStatus':
        this.#noticeSetting(message as { parameterName: string; parameterValue: string })
        break
      case 'errorMessage':
        if (this.#holds(message)) return true
        break
      case 'readyForQuery':
        if (this.#sendsAgain((message as { status: string }).status)) return true
        break
      case 'error':
      case 'end':
        this.#tell()
        break
    }
    return this.#pg.emit(event, message, second)
  }

  #bound(): void {
    if (this.#sent) this.#sent.bound = true
    // Without its name it was not refused: so that is what was wrong.
    if (this.#again?.failure === 'suspect')
      this.#statements.failed('stale', this.#again.sent.text, this.#again.sent.name)
    this.#again = undefined
  }

  #keep(message: RowDescription | NoData): void {
    const { name, binding } = this.#sent ?? {}
    if (name && binding && this.#statements.keepsRows)
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
    if (!sent || sent.bound) return false
    const failure = classifyStatementFailure(error)
    if (sent.parsing) {
      this.#prepared.refused(sent.name)
      // What the server will not parse now it would not parse without a name.
      if (failure !== 'lost') return false
    }
    if (!failure) return false
    if (failure !== 'suspect') this.#statements.failed(failure, sent.text, sent.name)
    // pg does not end such a round, and would wait for ever for the server to come to rest.
    if (sent.paged) this.#wire.sync()
    if (sent.paged || !sent.binding) return false
    this.#refused = { sent, failure, error }
    return true
  }

  /** The server is at rest: after an error that is with a transaction open, or with none. */
  #sendsAgain(status: string): boolean {
    const refused = this.#refused
    this.#sent = undefined
    if (!refused) return false
    if (status !== 'I') {
      this.#prepared.doubtOne(refused.sent.name)
      const { code } = refused.error as { code?: unknown }
      if (refused.failure === 'suspect') this.#statements.doubted(refused.sent.text, code, refused.sent.name)
      this.#tell()
      return false
    }
    this.#refused = undefined
    this.#again = refused
    this.#send(refused.sent)
    return true
  }

  /** Without a name, so that it depends on nothing that the server might not have. */
  #send({ text, binding }: Sent): void {
    const { stream } = this.#wire
    const { portal } = binding as BindMessage
    stream.cork?.()
    this.#pg.parse({ text })
    this.#pg.bind(binding as BindMessage)
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
    if (tag === 'DISCARD ALL' || tag === 'DEALLOCATE ALL') this.#prepared.forget()
    else if (tag === 'DEALLOCATE') this.#prepared.doubt()
  }

  #noticeSetting({ parameterName, parameterValue }: { parameterName: string; parameterValue: string }): void {
    if (!READING_LITERALS.has(parameterName)) return
    if (this.#readBy.get(parameterName) !== parameterValue) this.#prepared.doubt()
    this.#readBy.set(parameterName, parameterValue)
  }
}

/** What pg hears ends in a caller's result, and is his to change. */
function copyOf(message: RowDescription | NoData): RowDescription | NoData {
  if (message.name === 'noData') return message
  return { ...message, fields: message.fields.map((field) => ({ ...field })) }
}

/** What the server reports of itself that says how a literal such as '2026-01-02 03:04' is read. */
const READING_LITERALS: ReadonlySet<string> = new Set(['TimeZone', 'DateStyle', 'IntervalStyle'])

/** pg's own queries say which types they take, be it none; cursors, and what else brings its own protocol, do not. */
function isOfQuery(message: ParseMessage): boolean {
  return (message.name === undefined || message.name === null) && 'types' in message && !message.types?.length
}
