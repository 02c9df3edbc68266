import { systemClock } from '../clock.ts'
import { debuglog } from '../node-util.ts'
import { describeTopology, type Topology } from '../topology/index.ts'
import { mayCallSetConfig } from './changes-session.ts'
import { type PrepareOptions, type PreparingState, UNDETECTED, validatePrepareOptions } from './prepare-options.ts'
import { PreparedText } from './prepared-text.ts'
import { RecentKeys } from './recent-keys.ts'
import { Sightings } from './sightings.ts'
import type { StatementFailure } from './statement-failure.ts'

const DEFAULT_THRESHOLD = 5
const DEFAULT_MAX_PREPARED = 256
/** For a pooler that does not report its own limit: below PgBouncer's default of 200 (max_prepared_statements). */
const MAX_PREPARED_BEHIND_POOLER = 100
const debug = debuglog('poolguard')

/** Texts seen more than once, whose uses are counted. */
const MAX_TEXTS = 2_000
/** Longer texts are generated, and hardly ever repeat. */
const MAX_TEXT = 10_000
/** If the server loses prepared statements this often within an hour, the pool no longer trusts the detected topology. */
const MAX_LOSSES = 3
const LOSS_WINDOW_MILLIS = 3_600_000
/** After a transaction failed because of a named statement, transactions use no names for this long. */
const TRANSACTION_PAUSE_MILLIS = 3_600_000

/** Statements that benefit from a cached plan. Other statements are not prepared. */
const PREPARABLE =
  /^(?:\s|--[^\n]*\n|\/\*(?:[^*]|\*(?!\/))*\*\/|\()*(?:select|insert|update|delete|with|merge|values)\b/i
/**
 * Literals that mean the current time, but are evaluated only once, when the statement is parsed
 * (https://www.postgresql.org/docs/current/datatype-datetime.html#DATATYPE-DATETIME-SPECIAL-VALUES).
 */
const MOVING_LITERAL = /'\s*(?:now|today|tomorrow|yesterday)\b/i
/** The comment that makes a query be planned again each time. */
const OPT_OUT = /\/\*\s*poolguard:\s*no-prepare\s*\*\//

interface Seen {
  times: number
  /** Set once the text is prepared. */
  statement?: PreparedText
  /** The server rejected its plan once. */
  stale?: true
}

/**
 * Decides which of a pool's statements are prepared under a name, for any driver, from the number of uses of each text, the
 * topology, and earlier errors. `ConnectionStatements` tracks the statements that are prepared on one connection.
 */
export class AutomaticStatements {
  readonly #threshold: number | null
  readonly #requestedMax: number
  readonly #preparesAll: boolean
  readonly #against: string | undefined
  readonly #onUnexpectedLoss: (reason: string) => void
  readonly #sightings = new Sightings()
  readonly #texts = new RecentKeys<string, Seen>(MAX_TEXTS)
  /** Texts that run without a name, because their plan was rejected again, or because a pooler's servers keep it and receive no Close. */
  readonly #excluded = new RecentKeys<string, true>(MAX_TEXTS)
  #topology: Topology | undefined
  /** Times (performance.now()) at which a prepared statement was unexpectedly missing. */
  readonly #losses: number[] = []
  #noNamesInTransactionsUntil = Number.NEGATIVE_INFINITY
  #state: PreparingState = UNDETECTED
  /** Increased when prepared statements may be stale or lost: connections then parse them again. */
  generation = 0

  /**
   * @param against a reason never to prepare, for any topology.
   * @param onUnexpectedLoss called with a warning when the server does not know a prepared statement.
   * @throws {InvalidOptionError} for an invalid value.
   */
  constructor(
    {
      prepareThreshold = DEFAULT_THRESHOLD,
      maxPreparedStatements = DEFAULT_MAX_PREPARED,
      prepareTypes = 'proven',
    }: PrepareOptions,
    {
      against,
      onUnexpectedLoss,
    }: { readonly against?: string | undefined; readonly onUnexpectedLoss: (reason: string) => void },
  ) {
    validatePrepareOptions({ prepareThreshold, maxPreparedStatements, prepareTypes })
    this.#threshold = prepareThreshold
    this.#requestedMax = maxPreparedStatements
    this.#preparesAll = prepareTypes === 'all'
    this.#against = against
    this.#onUnexpectedLoss = onUnexpectedLoss
  }

  get state(): PreparingState {
    return this.#state
  }

  /** Whether statements are prepared at all: a cheap test before each query. */
  get active(): boolean {
    return this.#state.active
  }

  /** The time of the real clock, even if a test fakes the global timers. */
  now(): number {
    return systemClock.now()
  }

  /**
   * Whether a prepared statement's row description never changes: PostgreSQL rejects the statement rather than change its rows
   * ("cached plan must not change result type"). Behind a pooler it may run on different servers, which may see different tables.
   */
  get keepsRows(): boolean {
    return this.#topology?.kind === 'direct'
  }

  /** Maximum number of prepared statements per connection. */
  get maxPreparedStatements(): number {
    if (this.#topology?.kind !== 'pooler') return this.#requestedMax
    return Math.min(this.#requestedMax, this.#topology.pooler.maxPreparedStatements ?? MAX_PREPARED_BEHIND_POOLER)
  }

  /** The number of texts in memory. */
  get size(): number {
    return this.#texts.size
  }

  setTopology(topology: Topology): void {
    this.#topology = topology
    const obstacle = this.#findObstacle(topology)
    this.#state = { active: obstacle === undefined, reason: obstacle ?? describeTopology(topology) }
  }

  #findObstacle(topology: Topology): string | undefined {
    if (this.#threshold === null) return 'prepareThreshold is null'
    if (this.#against !== undefined) return this.#against
    if (this.#hasManyLosses) return 'prepared statements were lost too often'
    if (topology.preparedStatements !== 'safe') return describeTopology(topology)
    // In session mode a server may go to the next client with the statements of the previous one.
    return isUntrackedSession(topology) ? `${describeTopology(topology)}, max_prepared_statements 0` : undefined
  }

  /** The prepared statement of a text, the same for every connection; undefined if the text runs without a name. */
  find(text: string): PreparedText | undefined {
    if (!this.#state.active || text.length > MAX_TEXT) return undefined
    const seen = this.#texts.get(text)
    if (seen?.statement) return seen.statement
    if (seen) return ++seen.times > (this.#threshold as number) ? this.#decide(text, seen) : undefined
    return this.#count(text, this.#threshold as number)
  }

  /** Counts a text that is not in memory. Most texts appear only once, so a text is stored only at its second use. */
  #count(text: string, threshold: number): PreparedText | undefined {
    if (threshold > 0 && !this.#sightings.record(text)) return undefined
    const seen: Seen = { times: threshold > 0 ? 2 : 1 }
    this.#texts.add(text, seen)
    return seen.times > threshold ? this.#decide(text, seen) : undefined
  }

  #decide(text: string, seen: Seen): PreparedText | undefined {
    if (this.#excluded.get(text) || !isPreparable(text)) {
      // The count never reaches the threshold again: checking the text at every use would cost more than it saves.
      seen.times = Number.NEGATIVE_INFINITY
      return undefined
    }
    seen.statement = new PreparedText(text)
    return seen.statement
  }

  /** Whether a prepared statement may be used for these values. */
  allows(statement: PreparedText, values: readonly unknown[], now: number): boolean {
    return this.#preparesAll || statement.allows(values, this.#topology?.kind === 'pooler', now)
  }

  /** Whether to ask the server for the types of the parameters when it parses this statement. */
  asksForTypes(statement: PreparedText, now: number): boolean {
    return !this.#preparesAll && statement.isCheckDue(now)
  }

  /**
   * Call it when the server has reported the types of a statement's parameters.
   *
   * @param name the statement's name when it was sent.
   * @param askedAt when it was sent.
   */
  onParameterTypes(statement: PreparedText, types: readonly number[], name: string, askedAt: number): void {
    if (this.#preparesAll) return
    const learnt = statement.updateTypes(types, askedAt)
    if (learnt === 'changed') this.#handleStale(statement.text, name)
    else if (learnt !== 'known') {
      debug('statement not prepared, because %s: %s', learnt.unsafe, statement.text)
      this.exclude(statement.text)
    }
  }

  /** Whether transactions may use named statements: a rejected statement cannot be sent again in a transaction. */
  mayNameInTransaction(now: number): boolean {
    return now >= this.#noNamesInTransactionsUntil
  }

  /** Call it after a migration: every connection parses its statements again. */
  invalidateAll(): void {
    this.generation++
  }

  /** Whether the text must run without a name, including a name that the caller chose. */
  isExcluded(text: string): boolean {
    return this.#excluded.size > 0 && this.#excluded.get(text) === true
  }

  /**
   * Call it when the server rejected a prepared statement before executing it, and the caller was not at fault.
   *
   * @param name the name it was sent with: several connections may report the same stale plan.
   */
  onFailure(failure: Exclude<StatementFailure, 'suspect'>, text: string, name?: string): void {
    if (failure === 'stale') this.#handleStale(text, name)
    else this.#handleLoss()
  }

  /**
   * Call it when the server rejected a prepared statement in a transaction, where it cannot be sent again without its name. The name is
   * rarely the cause of bad data (class 22). It is the cause of a stale plan and of a type that no longer exists: other statements may
   * then fail for the same reason, and each would cost a transaction.
   */
  onFailureInTransaction(failure: 'stale' | 'suspect', text: string, code: unknown): void {
    const errorClass = String(code).slice(0, 2)
    if (failure === 'suspect' && errorClass === '22' && this.#topology?.kind !== 'pooler') return
    this.exclude(text)
    if (failure === 'suspect' && errorClass !== 'XX') return
    this.#noNamesInTransactionsUntil = systemClock.now() + TRANSACTION_PAUSE_MILLIS
    this.invalidateAll()
  }

  /** Renames the text once, so that every connection parses it again; a second stale plan excludes it. */
  #handleStale(text: string, name: string | undefined): void {
    const seen = this.#texts.get(text)
    if (seen && name !== undefined && seen.statement?.name !== name) return
    // The migration that changed this statement may have changed others.
    this.invalidateAll()
    if (this.#topology?.kind === 'pooler' || !seen?.statement || seen.stale) {
      this.exclude(text)
      return
    }
    seen.stale = true
    seen.statement.rename()
  }

  /** From now on the text runs without a name. */
  exclude(text: string): void {
    this.#excluded.add(text, true)
    const seen = this.#texts.get(text)
    if (!seen) return
    delete seen.statement
    seen.times = Number.NEGATIVE_INFINITY
  }

  #handleLoss(): void {
    this.generation++
    if (!this.#state.active) return
    this.#losses.push(systemClock.now())
    const reason = 'the server did not recognize a prepared statement'
    this.#state = { active: false, reason }
    const duration = this.#hasManyLosses ? 'for the next hour' : 'until the topology has been detected again'
    this.#onUnexpectedLoss(`The pool stops preparing statements automatically ${duration}: ${reason}.`)
  }

  get #hasManyLosses(): boolean {
    const since = systemClock.now() - LOSS_WINDOW_MILLIS
    return this.#losses.filter((at) => at > since).length >= MAX_LOSSES
  }
}

/** False for a query that changes settings, and for a text whose meaning depends on the time it is parsed. */
function isPreparable(text: string): boolean {
  return PREPARABLE.test(text) && !MOVING_LITERAL.test(text) && !OPT_OUT.test(text) && !mayCallSetConfig(text)
}

function isUntrackedSession(topology: Topology): boolean {
  if (topology.kind !== 'pooler') return false
  const { name, mode, maxPreparedStatements } = topology.pooler
  return name === 'PgBouncer' && mode === 'session' && maxPreparedStatements === undefined
}
