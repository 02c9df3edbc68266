import {
  type AutomaticStatements,
  changesSession,
  classifyStatementFailure,
  mayCallSetConfig,
  type PreparedText,
  type StatementFailure,
} from '@poolguard/core/adapter'
import type { ParsedOptions, Query } from '../internals.ts'
import { comparableTypes, declaredTypesOf, printsAsGiven, valuesOf } from '../queries/query-arguments.ts'
import { textOf } from '../queries/statement-text.ts'

/** A query that the server parses now. It tells the types of the parameters by itself, since postgres.js asks for them. */
interface Parsed {
  readonly statement: PreparedText
  readonly name: string
  readonly at: number
}

export interface QueryPreparerOptions {
  readonly statements: AutomaticStatements
  /** Whether nothing stands between here and PostgreSQL. */
  readonly isDirect: () => boolean
  /** What the pool's connections share: how values are brought into the form in which they are sent. */
  readonly shared: Pick<ParsedOptions, 'serializers'>
}

/**
 * Which queries of one connection are prepared. postgres.js does it, and neither closes a statement nor takes one back that the
 * server has refused: so many as may be kept are prepared, and then no more; and what was refused goes without a name.
 */
export class QueryPreparer {
  readonly #statements: AutomaticStatements
  readonly #isDirect: () => boolean
  readonly #shared: Pick<ParsedOptions, 'serializers'>
  #printsAsGiven: boolean | undefined
  /** What postgres.js keeps all of them by: the text, and the types of the parameters. */
  readonly #signatures = new Set<unknown>()
  /** How many were prepared automatically. */
  #prepared = 0
  /** Their names, as far as nothing has changed since; in postgres.js they have others. */
  readonly #names = new Set<string>()
  /** Why a query is under way once more. */
  readonly #again = new WeakMap<Query, StatementFailure>()
  readonly #parsed = new WeakMap<Query, Parsed>()
  #generation: number
  /** What is prepared may be read differently by now, and postgres.js cannot parse it anew. */
  #outdated = false
  /** The server has lost its statements, which postgres.js goes on to count on: the connection is of no more use. */
  spent = false

  constructor({ statements, isDirect, shared }: QueryPreparerOptions) {
    this.#statements = statements
    this.#isDirect = isDirect
    this.#shared = shared
    this.#generation = statements.generation
  }

  /**
   * A query that stands alone is prepared where it was seen often enough; one in a transaction could not be sent again. Only
   * directly: postgres.js reads the rows of a prepared statement by the columns it had when it was prepared, and behind a
   * pooler a server on which it is prepared later, after a migration, has others.
   */
  decide(query: Query): void {
    if (!query.undecided || query.onlyDescribe || query.cursorFn || this.#outdated || !this.#isDirect()) return
    const values = valuesOf(query)
    this.#printsAsGiven ??= printsAsGiven(this.#shared)
    if (!values || !this.#printsAsGiven) return
    const statement = this.#statements.find(keyOf(query))
    if (!statement) return
    const now = this.#statements.now()
    const { name } = statement
    if (this.#signatures.has(signatureOf(query))) {
      if (this.#has(name) && this.#statements.allows(statement, values, now)) query.options.prepare = true
      else this.#parsed.set(query, { statement, name, at: now })
      return
    }
    // Parsed now, it is what it would be without a name.
    this.#parsed.set(query, { statement, name, at: now })
    if (this.#prepared >= this.#statements.maxPreparedStatements) return
    this.#prepared++
    query.options.prepare = true
    this.#names.add(name)
  }

  /** Whether it was prepared here under this name, and nothing has changed since. */
  #has(name: string): boolean {
    if (this.#generation !== this.#statements.generation) {
      this.#generation = this.#statements.generation
      this.#names.clear()
    }
    return this.#names.has(name)
  }

  sending(query: Query): void {
    if (!this.#outdated && mayChangeSession(query)) this.#outdated = true
    if (query.options.prepare === false) return
    if (this.#statements.isSpoilt(keyOf(query))) query.options.prepare = false
    else keepParameters(query)
  }

  sent(query: Query): void {
    if (query.signature) this.#signatures.add(query.signature)
    if (!isAutomatic(query)) return
    // Or postgres.js would send it again by itself, even where something of it has been executed.
    query.prepared = false
  }

  /** An error of a query; postgres.js has tried again already what it does by itself. */
  failed(error: unknown, query: Query): void {
    if (query.options.prepare === false) return
    const failure = classifyStatementFailure(error)
    if (failure === 'stale') this.#statements.spoil(keyOf(query))
    if (failure === 'lost') this.#lost(query)
  }

  #lost(query: Query): void {
    this.spent = true
    this.#statements.failed('lost', keyOf(query))
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

  /** A query has its outcome. */
  learn(error: unknown, query: Query): void {
    if (error !== undefined) return
    if (this.#again.get(query) === 'suspect') this.#statements.spoil(keyOf(query))
    if (SCHEMA_COMMAND.test(query.strings[0] ?? '')) this.#statements.renew()
    const parsed = this.#parsed.get(query)
    const types = query.statement?.types
    if (!parsed || !types) return
    const { statement, name, at } = parsed
    this.#statements.described(statement, comparableTypes(types, query), name, at)
  }
}

const SCHEMA_COMMAND = /^\s*(?:create|alter)\s+(?!temp)/i

/** The text; with it the types that postgres.js declares, since the types of the other parameters may depend on them. */
function keyOf(query: Query): string {
  const declared = query.undecided ? declaredTypesOf(query) : ''
  return HAS_TYPE.test(declared) ? `${textOf(query)}/*${declared}*/` : textOf(query)
}

const HAS_TYPE = /[1-9]/

/** As postgres.js makes it, of a text without fragments. */
function signatureOf(query: Query): string {
  return declaredTypesOf(query) + query.strings[0]
}

/** SET and the like stand alone, or among several statements. */
const MAY_SET = /^\s*(?:re)?set\b|;/i

function mayChangeSession({ strings }: Query): boolean {
  const [text = ''] = strings
  return (MAY_SET.test(text) || mayCallSetConfig(text)) && changesSession(text) === 'session'
}

/** `unnamed portal parameter $1 = '...'`: a parameter stands before the first quotation mark, on the only line. */
const NAMES_PARAMETER = /^[^"\n$]*(?:\$(?!\d)[^"\n$]*)*\$\d[^\n]*$/

/** What has begun to run says where; a parameter that could not be bound, which one. */
function hasBegun(error: unknown): boolean {
  const { where } = error as { where?: string | undefined }
  return where !== undefined && !NAMES_PARAMETER.test(where)
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
