import type { AutomaticStatements, ConnectionStatements, PreparedText } from '@poolguard/core/adapter'
import type { ParameterDescription, WireConnection } from '../wire-client.ts'

/** A statement whose types the server was asked for. */
interface Asked {
  readonly statement: PreparedText
  readonly name: string
  readonly at: number
}

/** Asks the server for the types of a statement's parameters, in the message that parses it. pg does not hear of the answer. */
export class TypeQuestion {
  readonly #statements: AutomaticStatements
  readonly #prepared: Pick<ConnectionStatements, 'doubtOne'>
  readonly #describe: WireConnection['describe']
  #asked: Asked | undefined
  #skipsRows = false

  constructor(
    statements: AutomaticStatements,
    prepared: Pick<ConnectionStatements, 'doubtOne'>,
    describe: WireConnection['describe'],
  ) {
    this.#statements = statements
    this.#prepared = prepared
    this.#describe = describe
  }

  /** @param name under which it was sent to be parsed; empty if it has none. */
  ask(statement: PreparedText, name: string, at: number): void {
    this.#asked = { statement, name: statement.name, at }
    this.#describe({ type: 'S', name })
  }

  answered({ dataTypeIDs }: ParameterDescription): void {
    const asked = this.#asked
    if (!asked) return
    this.#asked = undefined
    this.#skipsRows = true
    const { statement, name, at } = asked
    this.#statements.described(statement, dataTypeIDs, name, at)
    if (statement.name !== name || this.#statements.isSpoilt(statement.text)) this.#prepared.doubtOne(name)
  }

  /** Whether the description of rows that has come belongs to the answer. */
  takeRows(): boolean {
    const skips = this.#skipsRows
    this.#skipsRows = false
    return skips
  }

  /** The server has failed before it answered. */
  forget(): void {
    this.#asked = undefined
    this.#skipsRows = false
  }
}
