import type { AutomaticStatements, PreparedText, StatementFailure } from '@poolguard/core/adapter'
import { changesSession, classifyStatementFailure, mayCallSetConfig } from '@poolguard/core/connection'
import type { ParsedOptions, Query } from '../internals.ts'
import { comparableTypes, declaredTypesOf, printsAsGiven, valuesOf } from '../queries/query-arguments.ts'
import { textOf } from '../queries/statement-text.ts'

/** A query that the server parses in this execution. postgres.js requests the types of its parameters. */
interface ParsedQuery {
  readonly statement: PreparedText
  readonly name: string
  readonly at: number
}

export interface QueryPreparerOptions {
  readonly statements: AutomaticStatements
  /** True if there is no pooler between the pool and PostgreSQL. */
  readonly isDirect: () => boolean
  /** The shared serializers, which convert values to their wire format. */
  readonly shared: Pick<ParsedOptions, 'serializers'>
}

/**
 * Decides which queries of one connection are prepared. postgres.js does the preparing, but never closes a statement, not even one that
 * the server has rejected. So a connection prepares at most `maxPreparedStatements`, and rejected statements are sent without a name.
 */
export class QueryPreparer {
  readonly #statements: AutomaticStatements
  readonly #isDirect: () => boolean
  readonly #shared: Pick<ParsedOptions, 'serializers'>
  #printsAsGiven: boolean | undefined
  /** postgres.js' keys of the prepared statements: the text and the types of the parameters. */
  readonly #signatures = new Set<unknown>()
  /** Number of statements prepared automatically. */
  #preparedCount = 0
  /** Names of the statements prepared since the last schema change. postgres.js uses other names. */
  readonly #names = new Set<string>()
  /** Queries that were sent again without a name, with the reason. */
  readonly #retried = new WeakMap<Query, StatementFailure>()
  readonly #parsed = new WeakMap<Query, ParsedQuery>()
  #generation: number
  /** True after a session setting has changed: the prepared statements may have another meaning, and postgres.js cannot parse them again. */
  #outdated = false
  /** True if the server has lost its statements. postgres.js would keep using them, so the connection must be closed. */
  hasLostStatements = false

  constructor({ statements, isDirect, shared }: QueryPreparerOptions) {
    this.#statements = statements
    this.#isDirect = isDirect
    this.#shared = shared
    this.#generation = statements.generation
  }

  /**
   * Decides for a query outside a transaction whether it is prepared. Queries in a transaction are not, because they cannot be retried.
   * Behind a pooler none are: postgres.js reads rows with the columns known when the statement was prepared, and the pooler may prepare
   * the statement again on another server connection after a migration.
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
    // A statement that is parsed in this execution behaves as it would without a name.
    this.#parsed.set(query, { statement, name, at: now })
    if (this.#preparedCount >= this.#statements.maxPreparedStatements) return
    this.#preparedCount++
    query.options.prepare = true
    this.#names.add(name)
  }

  /** True if this connection has prepared the statement since the last schema change. */
  #has(name: string): boolean {
    if (this.#generation !== this.#statements.generation) {
      this.#generation = this.#statements.generation
      this.#names.clear()
    }
    return this.#names.has(name)
  }

  /** True if there is no pooler between the pool and PostgreSQL: a new connection then has no stale statements. */
  get isDirect(): boolean {
    return this.#isDirect()
  }

  /** @param isShared true if postgres.js does not retry the query itself. */
  beforeSend(query: Query, isShared: boolean): void {
    if (!this.#outdated && mayChangeSession(query)) this.#outdated = true
    if (query.options.prepare === false) return
    if (this.#statements.isExcluded(keyOf(query))) query.options.prepare = false
    else if (!isShared) keepParameters(query)
  }

  afterSend(query: Query): void {
    if (query.signature) this.#signatures.add(query.signature)
    if (!isAutomatic(query)) return
    // Otherwise postgres.js itself retries the query on an error, even if a part of it has run.
    query.prepared = false
  }

  /** Called with the error of a query, after postgres.js' own retry. */
  onError(error: unknown, query: Query): void {
    if (query.options.prepare === false) return
    const failure = classifyStatementFailure(error)
    if (failure === 'stale' && !query.closesStale) this.#statements.exclude(keyOf(query))
    if (failure === 'lost') this.#onStatementLost(query)
  }

  #onStatementLost(query: Query): void {
    this.hasLostStatements = true
    this.#statements.onFailure('lost', keyOf(query))
  }

  /**
   * Disables preparing for a query that failed outside a transaction, before any part of it ran, if the prepared statement may be the
   * cause. Returns true if the query must be sent again.
   */
  retryUnprepared(error: unknown, query: Query): boolean {
    const failure = query.options.prepare === false ? undefined : classifyStatementFailure(error)
    const nameMayBeCause = failure === 'stale' || (failure !== undefined && isAutomatic(query))
    if (!nameMayBeCause || hasBegun(error)) return false
    query.options.prepare = false
    query.retried = null
    // postgres.js has overwritten them with their serialized values, and now reads them again.
    query.parameters = undefined
    this.#retried.set(query, failure)
    return true
  }

  /** Called with the outcome of a query; `error` is undefined if it succeeded. */
  onOutcome(error: unknown, query: Query): void {
    if (error !== undefined) return
    if (this.#retried.get(query) === 'suspect') this.#statements.exclude(keyOf(query))
    if (SCHEMA_COMMAND.test(query.strings[0] ?? '')) this.#statements.invalidateAll()
    const parsed = this.#parsed.get(query)
    const types = query.statement?.types
    if (!parsed || !types) return
    const { statement, name, at } = parsed
    this.#statements.onParameterTypes(statement, comparableTypes(types, query), name, at)
  }
}

const SCHEMA_COMMAND = /^\s*(?:create|alter)\s+(?!temp)/i

/** The text and the types that postgres.js declares: the types of the other parameters may depend on them. */
function keyOf(query: Query): string {
  const declared = query.undecided ? declaredTypesOf(query) : ''
  return HAS_TYPE.test(declared) ? `${textOf(query)}/*${declared}*/` : textOf(query)
}

const HAS_TYPE = /[1-9]/

/** The key that postgres.js uses for a text without fragments. */
function signatureOf(query: Query): string {
  return declaredTypesOf(query) + query.strings[0]
}

/** SET or RESET at the start, or anywhere in a text of several statements. */
const MAY_SET = /^\s*(?:re)?set\b|;/i

function mayChangeSession({ strings }: Query): boolean {
  const [text = ''] = strings
  return (MAY_SET.test(text) || mayCallSetConfig(text)) && changesSession(text) === 'session'
}

/** Matches `unnamed portal parameter $1 = '...'`: one line, with a parameter before the first quotation mark. */
const NAMES_PARAMETER = /^[^"\n$]*(?:\$(?!\d)[^"\n$]*)*\$\d[^\n]*$/

/** True if the query had started to run: then the error has a `where`. An error while binding also has one, which names the parameter. */
function hasBegun(error: unknown): boolean {
  const { where } = error as { where?: string | undefined }
  return where !== undefined && !NAMES_PARAMETER.test(where)
}

function isAutomatic({ undecided, options }: Query): boolean {
  return undecided === true && options.prepare === true
}

/** postgres.js overwrites the parameters with their serialized values, and would serialize those again when it retries the query. */
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
