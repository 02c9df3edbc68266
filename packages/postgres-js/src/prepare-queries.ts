import { type AutomaticStatements, classifyStatementFailure } from '@poolguard/core'
import type { Query } from './internals.ts'
import { textOf } from './statement-text.ts'

/**
 * Which queries of one connection are prepared. postgres.js does it, and never closes a statement: so many as may be kept are
 * prepared, and then no more until the connection is replaced.
 */
export class QueryPreparer {
  readonly #statements: AutomaticStatements
  readonly #isDirect: () => boolean
  readonly #texts = new Set<string>()

  constructor(statements: AutomaticStatements, isDirect: () => boolean) {
    this.#statements = statements
    this.#isDirect = isDirect
  }

  /**
   * A query that stands alone is prepared where it was seen often enough; one in a transaction could not be sent again. Only
   * directly: postgres.js reads the rows of a prepared statement by the columns it had when it was prepared, and behind a
   * pooler a server on which it is prepared later, after a migration, has others.
   */
  decide(query: Query): void {
    if (!query.undecided || !this.#isDirect()) return
    const text = textOf(query)
    if (this.#statements.nameOf(text) === undefined) return
    if (!this.#texts.has(text) && this.#texts.size >= this.#statements.maxPrepared) return
    this.#texts.add(text)
    query.options.prepare = true
  }

  /** Behind a pooler a name may lead to a plan that no longer fits, whoever chose it. */
  avoidSpoilt(query: Query): void {
    if (query.options.prepare !== false && this.#statements.isSpoilt(textOf(query))) query.options.prepare = false
  }

  /** An error of a query; postgres.js has tried again already where it could. */
  failed(error: unknown, query: Query): void {
    if (query.options.prepare === false) return
    const failure = classifyStatementFailure(error)
    if (failure) this.#statements.failed(failure, textOf(query))
  }

  /** Whether a query that failed outside of a transaction is to be sent again, without a name: nothing of it was executed. */
  isToBeSentAgain(error: unknown, query: Query): boolean {
    if (query.options.prepare === false || classifyStatementFailure(error) !== 'stale') return false
    query.options.prepare = false
    query.retried = null
    return true
  }
}
