import type { PreparedText } from '@poolguard/core/adapter'
import type { BindMessage, ParseMessage } from '../wire-client.ts'
import type { PreparingSession } from './preparing-session.ts'
import { isUnnamedQuery, type RejectedQuery, type UnboundQuery } from './sent-query.ts'
import { TypeQuestion } from './type-question.ts'

/** Replaces the methods with which pg sends messages: sends an unnamed query of pg with a name, if the statement is prepared. */
export class StatementSender {
  readonly #session: PreparingSession
  #unbound: UnboundQuery | undefined
  /** Set while pg sends a refused query again. */
  #resending: RejectedQuery | undefined

  constructor(session: PreparingSession) {
    this.#session = session
  }

  query(text: string): void {
    const { changes, statements, rounds, pg } = this.#session
    changes.onSend(text)
    if (statements.keepsRows) this.#sendClosing()
    rounds.writing.isComplete = true
    pg.query(text)
  }

  sync(): void {
    const { rounds, pg } = this.#session
    rounds.writing.isComplete = true
    pg.sync()
  }

  parse(message: ParseMessage): void {
    const { statements, rounds, changes, pg } = this.#session
    const round = rounds.writing
    round.sent = undefined
    round.retried = this.#resending
    const mayUseName = statements.active && isUnnamedQuery(message) && !this.#resending
    const statement = mayUseName ? statements.find(message.text) : undefined
    if (statement) {
      changes.text = message.text
      this.#unbound = { message, statement }
      return
    }
    changes.onSend(message.text)
    this.#sendClosing()
    pg.parse(message)
  }

  bind(message: BindMessage): void {
    const { statements, rounds, pg } = this.#session
    const unbound = this.#unbound
    if (!unbound) {
      pg.bind(message)
      return
    }
    this.#unbound = undefined
    const { portal, binary, valueMapper } = message
    const values = message.values ?? []
    const now = statements.now()
    const { statement } = unbound
    if (!this.#canUseName(statement, values, now)) {
      this.#sendClosing()
      pg.parse(unbound.message)
      if (statements.asksForTypes(statement, now)) this.#askTypes(statement, '', now)
      pg.bind(message)
      return
    }
    let mapped: readonly unknown[]
    try {
      // Map the values only once, so that a retry sends the same values.
      mapped = valueMapper ? values.map(valueMapper) : values
    } catch (error) {
      // Leave pg in the same state as without automatic preparing: parse is sent, bind has thrown.
      rounds.writing.endTrial()
      pg.parse(unbound.message)
      throw error
    }
    this.#bindByName(unbound, { portal, values: mapped, binary }, now)
  }

  /** A statement that is parsed in this round, with no pooler in between, always behaves as it would without a name. */
  #canUseName(statement: PreparedText, values: readonly unknown[], now: number): boolean {
    const { statements, prepared, changes, rounds } = this.#session
    const isInTransaction = changes.inTransaction
    if (isInTransaction && (changes.changedInTransaction || !statements.mayNameInTransaction(now))) return false
    if (statements.keepsRows && !prepared.has(statement.name)) return true
    if (!statements.allows(statement, values, now)) return false
    if (!isInTransaction) return true
    if (!statement.beginTrial()) return false
    rounds.writing.onTrial = statement
    return true
  }

  /** @param name of the statement in the parse message; empty if it has none. */
  #askTypes(statement: PreparedText, name: string, now: number): void {
    const { statements, prepared, rounds, pg } = this.#session
    rounds.writing.question = new TypeQuestion(statements, prepared, statement, now)
    pg.describe({ type: 'S', name })
  }

  #bindByName({ message, statement }: UnboundQuery, binding: BindMessage, now: number): void {
    const { statements, prepared, rounds, pg } = this.#session
    const { name } = statement
    const parsing = prepared.use(name)
    this.#sendClosing()
    if (parsing) {
      pg.parse({ text: message.text, name, types: message.types })
      // Only without a pooler: a pooler may answer for a server that parsed the statement earlier.
      if (statements.keepsRows && statements.asksForTypes(statement, now)) this.#askTypes(statement, name, now)
    }
    rounds.writing.sent = {
      ...{ statement, name, parsing, binding },
      ...{ bound: false, rows: undefined, paged: false, orphaned: false },
    }
    pg.bind({ ...binding, statement: name })
  }

  #sendClosing(): void {
    const { prepared, wire } = this.#session
    for (const name of prepared.takeClosing()) wire.close({ type: 'S', name })
  }

  /** Requests the row description only if it is not known already. */
  describe(message: { type: 'S' | 'P'; name: string }): void {
    const { statements, prepared, rounds, pg } = this.#session
    const { sent } = rounds.writing
    const rows = sent && statements.keepsRows ? prepared.rowsOf(sent.name) : undefined
    if (sent && rows && rows.binary === sent.binding.binary) sent.rows = rows
    else pg.describe(message)
  }

  execute(message: { portal: string; rows: number | undefined }): void {
    const { rounds, pg } = this.#session
    const { sent } = rounds.writing
    if (sent && message.rows) sent.paged = true
    pg.execute(message)
  }

  /** Sends a refused query again without a name. `send` calls pg. */
  resend(refused: RejectedQuery, send: () => void): void {
    this.#resending = refused
    try {
      send()
    } finally {
      this.#resending = undefined
    }
  }

  /** Sends a rejected query again without a name, so that it depends on no prepared statement. */
  retry(rejected: RejectedQuery): void {
    const { wire, rounds, pg } = this.#session
    const { statement, binding } = rejected.sent
    const { portal } = binding
    rounds.writing.retried = rejected
    wire.stream.cork?.()
    pg.parse({ text: statement.text })
    pg.bind(binding)
    pg.describe({ type: 'P', name: portal })
    pg.execute({ portal, rows: undefined })
    this.sync()
    wire.stream.uncork?.()
  }
}
