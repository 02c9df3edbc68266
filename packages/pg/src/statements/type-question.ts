import type { AutomaticStatements, ConnectionStatements, PreparedText } from '@poolguard/core/adapter'
import type { ParameterDescription, WireConnection } from '../wire-client.ts'

/** A statement whose parameter types were requested. */
interface PendingRequest {
  readonly statement: PreparedText
  readonly name: string
  readonly at: number
}

/** Requests the parameter types of a statement in the round that parses it. The answer is hidden from pg. */
export class TypeQuestion {
  readonly #statements: AutomaticStatements
  readonly #prepared: Pick<ConnectionStatements, 'invalidate'>
  readonly #describe: WireConnection['describe']
  #pending: PendingRequest | undefined
  #skipsRows = false

  constructor(
    statements: AutomaticStatements,
    prepared: Pick<ConnectionStatements, 'invalidate'>,
    describe: WireConnection['describe'],
  ) {
    this.#statements = statements
    this.#prepared = prepared
    this.#describe = describe
  }

  /** @param name of the statement in the parse message; empty if it has none. */
  send(statement: PreparedText, name: string, at: number): void {
    this.#pending = { statement, name: statement.name, at }
    this.#describe({ type: 'S', name })
  }

  onAnswer({ dataTypeIDs }: ParameterDescription): void {
    const pending = this.#pending
    if (!pending) return
    this.#pending = undefined
    this.#skipsRows = true
    const { statement, name, at } = pending
    this.#statements.onParameterTypes(statement, dataTypeIDs, name, at)
    if (statement.name !== name || this.#statements.isExcluded(statement.text)) this.#prepared.invalidate(name)
  }

  /** Returns true once if the received row description belongs to the answer and must be hidden from pg. */
  takeRows(): boolean {
    const skips = this.#skipsRows
    this.#skipsRows = false
    return skips
  }

  /** Called if the server has sent an error instead of the answer. */
  forget(): void {
    this.#pending = undefined
    this.#skipsRows = false
  }
}
