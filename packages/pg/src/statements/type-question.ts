import type { AutomaticStatements, PreparedText } from '@poolguard/core/adapter'
import type { ConnectionStatements } from '@poolguard/core/connection'
import type { ParameterDescription } from '../wire-client.ts'

/** A request for the parameter types of a statement, in the round that parses the statement. The answer is hidden from pg. */
export class TypeQuestion {
  readonly #statements: AutomaticStatements
  readonly #prepared: Pick<ConnectionStatements, 'invalidate'>
  readonly #statement: PreparedText
  /** The statement's name when it was sent. */
  readonly #name: string
  readonly #askedAt: number
  #isAnswered = false
  #skipsRows = false

  constructor(
    statements: AutomaticStatements,
    prepared: Pick<ConnectionStatements, 'invalidate'>,
    statement: PreparedText,
    askedAt: number,
  ) {
    this.#statements = statements
    this.#prepared = prepared
    this.#statement = statement
    this.#name = statement.name
    this.#askedAt = askedAt
  }

  onAnswer({ dataTypeIDs }: ParameterDescription): void {
    if (this.#isAnswered) return
    this.#isAnswered = true
    this.#skipsRows = true
    const [statement, name] = [this.#statement, this.#name]
    this.#statements.onParameterTypes(statement, dataTypeIDs, name, this.#askedAt)
    if (statement.name !== name || this.#statements.isExcluded(statement.text)) this.#prepared.invalidate(name)
  }

  /** Returns true once if the received row description belongs to the answer and must be hidden from pg. */
  takeRows(): boolean {
    const skips = this.#skipsRows
    this.#skipsRows = false
    return skips
  }
}
