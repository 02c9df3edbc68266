import { type AutomaticStatements, classifyStatementFailure, type StatementFailure } from '@poolguard/core'
import type { Query } from './internals.ts'
import { textOf } from './statement-text.ts'

/**
 * Which queries of one connection are prepared. postgres.js does it, and neither closes a statement nor takes one back that the
 * server has refused: so many as may be kept are prepared, and then no more; and what was refused goes without a name.
 */
export class QueryPreparer {
  readonly #statements: AutomaticStatements
  readonly #isDirect: () => boolean
  /** What postgres.js keeps them by: the text, and the types of the parameters. */
  readonly #signatures = new Set<unknown>()
  /** Why a query is under way once more. */
  readonly #again = new WeakMap<Query, StatementFailure>()
  /** The server has lost its statements, which postgres.js goes on to count on: the connection is of no more use. */
  spent = false

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
    if (!query.undecided || query.onlyDescribe || query.cursorFn || !this.#isDirect()) return
    if (this.#statements.nameOf(textOf(query)) === undefined) return
    if (this.#signatures.size < this.#statements.maxPrepared) query.options.prepare = true
  }

  sending(query: Query): void {
    if (query.options.prepare === false) return
    if (this.#statements.isSpoilt(textOf(query))) query.options.prepare = false
    else keepParameters(query)
  }

  sent(query: Query): void {
    if (!isAutomatic(query)) return
    this.#signatures.add(query.signature)
    // Or postgres.js would send it again by itself, even where something of it has been executed.
    query.prepared = false
  }

  /** An error of a query; postgres.js has tried again already what it does by itself. */
  failed(error: unknown, query: Query): void {
    if (query.options.prepare === false) return
    const failure = classifyStatementFailure(error)
    if (failure === 'stale') this.#statements.spoil(textOf(query))
    if (failure === 'lost') this.#lost(query)
  }

  #lost(query: Query): void {
    this.spent = true
    this.#statements.failed('lost', textOf(query))
  }

  /**
   * Takes the name off a query that was refused for it outside of a transaction, before anything of it was executed. True
   * where it is to be sent again.
   */
  unname(error: unknown, query: Query): boolean {
    const failure = query.options.prepare === false ? undefined : classifyStatementFailure(error)
    const mayBeTheName = failure === 'stale' || (failure !== undefined && isAutomatic(query))
    if (!mayBeTheName || hasBegun(error)) return false
    query.options.prepare = false
    query.retried = null
    this.#again.set(query, failure)
    return true
  }

  /** A query that was sent once more has its outcome. */
  learn(error: unknown, query: Query): void {
    if (error === undefined && this.#again.get(query) === 'suspect') this.#statements.spoil(textOf(query))
  }
}

/** What has begun to run says where; a parameter that could not be bound, which one. */
function hasBegun(error: unknown): boolean {
  const { where } = error as { where?: string | undefined }
  return where !== undefined && !/^[^"\n]*\$\d+[^\n]*$/.test(where)
}

function isAutomatic({ undecided, options }: Query): boolean {
  return undecided === true && options.prepare === true
}

/** postgres.js replaces the parameters by what it sends, and would do that to what it has sent when it sends it again. */
function keepParameters(query: Query): void {
  let raw: readonly unknown[] | undefined
  Object.defineProperty(query, 'parameters', {
    get: () => raw && [...raw],
    set: (parameters: readonly unknown[] | undefined) => {
      raw ??= parameters && [...parameters]
    },
    configurable: true,
  })
}
