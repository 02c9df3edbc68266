import { type AutomaticStatements, ConnectionStatements, classifyStatementFailure } from '@poolguard/core'
import type { PgConnection } from './pg-connection.ts'
import type { BindMessage, ParseMessage, ServerErrorMessage, WireConnection } from './wire-client.ts'

/**
 * Prepares a connection's statements under names of the pool's choice. It stands between pg and its connection: pg sends a
 * query without a name, and goes on believing that it did, so that whoever queries through pg, an ORM say, need not know.
 */
export function prepareStatements(connection: PgConnection, statements: AutomaticStatements): void {
  // There is nothing to send again by itself where other queries are on the wire behind it.
  if (connection.client.pipeline) return
  const preparer = new StatementPreparer(connection, statements)
  const { connection: wire } = connection.client
  wire.parse = (message) => preparer.parse(message)
  wire.bind = (message) => preparer.bind(message)
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
  /** Its rows are asked for page by page. */
  paged: boolean
}

class StatementPreparer {
  readonly #connection: PgConnection
  readonly #wire: WireConnection
  readonly #statements: AutomaticStatements
  readonly #prepared: ConnectionStatements
  readonly #pg: Pick<WireConnection, 'parse' | 'bind' | 'execute' | 'emit'>
  #sent: Sent | undefined
  /** It was refused, and is sent again as soon as the server has come to rest. */
  #again: Sent | undefined

  constructor(connection: PgConnection, statements: AutomaticStatements) {
    const wire = connection.client.connection
    this.#connection = connection
    this.#wire = wire
    this.#statements = statements
    this.#prepared = new ConnectionStatements(statements)
    this.#pg = {
      parse: wire.parse.bind(wire),
      bind: wire.bind.bind(wire),
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
    this.#sent = { name, text: message.text, parsing, binding: undefined, bound: false, paged: false }
  }

  bind(message: BindMessage): void {
    const sent = this.#sent
    if (!sent) {
      this.#pg.bind(message)
      return
    }
    const { portal, values = [], binary, valueMapper } = message
    // Once, so that what might be sent again is what was sent.
    const mapped = valueMapper ? values.map(valueMapper) : values
    sent.binding = { portal, values: mapped, binary }
    this.#pg.bind({ portal, statement: sent.name, values: mapped, binary })
  }

  execute(message: { portal: string; rows: number | undefined }): void {
    if (this.#sent && message.rows) this.#sent.paged = true
    this.#pg.execute(message)
  }

  /** What the server says, before pg hears of it. */
  emit(event: string, message: unknown, second: unknown): boolean {
    if (event === 'dataRow') return this.#pg.emit(event, message)
    if (event === 'errorMessage' && this.#isToBeSentAgain(message as ServerErrorMessage)) return true
    if (event === 'readyForQuery') {
      this.#sent = undefined
      if (this.#again) return this.#sendAgain(this.#again)
    }
    if (event === 'commandComplete') this.#noticeDropped((message as { text: string }).text)
    if (this.#sent && event === 'parseComplete') this.#sent.parsing = false
    if (this.#sent && event === 'bindComplete') this.#sent.bound = true
    return this.#pg.emit(event, message, second)
  }

  #isToBeSentAgain(error: ServerErrorMessage): boolean {
    const sent = this.#sent
    if (!sent) return false
    this.#sent = undefined
    if (sent.parsing) this.#prepared.refused(sent.name)
    const failure = sent.bound ? undefined : classifyStatementFailure(error)
    if (!failure) return false
    this.#statements.failed(failure, sent.text)
    // A transaction has failed with it; and after a FATAL there is no connection.
    const lives = error.severity === 'ERROR' && !this.#connection.inTransaction
    if (!lives || sent.paged || !sent.binding) return false
    this.#again = sent
    return true
  }

  /** Without a name, so that it depends on nothing that the server might not have. */
  #sendAgain({ text, binding }: Sent): boolean {
    this.#again = undefined
    if (!binding) return false
    const { portal } = binding
    this.#wire.stream.cork()
    this.#pg.parse({ text })
    this.#pg.bind(binding)
    this.#wire.describe({ type: 'P', name: portal })
    this.#pg.execute({ portal, rows: undefined })
    this.#wire.sync()
    this.#wire.stream.uncork()
    return true
  }

  /** `DISCARD ALL` and `DEALLOCATE`, whoever sent them; the latter may have meant one of ours. */
  #noticeDropped(tag: string): void {
    if (tag === 'DISCARD ALL' || tag === 'DEALLOCATE ALL') this.#prepared.forget()
    else if (tag === 'DEALLOCATE') this.#prepared.doubt()
  }
}

/** pg's own queries say which types they take, be it none; cursors, and what else brings its own protocol, do not. */
function isOfQuery(message: ParseMessage): boolean {
  return !message.name && 'types' in message && !message.types?.length
}
