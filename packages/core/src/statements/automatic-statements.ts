import { debuglog } from 'node:util'
import { systemClock } from '../clock.ts'
import { requireInteger, requireOneOf } from '../invalid-option-error.ts'
import { describeTopology, type Topology } from '../topology/index.ts'
import { mayCallSetConfig } from './changes-session.ts'
import { PreparedText } from './prepared-text.ts'
import { RecentKeys } from './recent-keys.ts'
import { Sightings } from './sightings.ts'
import type { StatementFailure } from './statement-failure.ts'

export interface PrepareOptions {
  /**
   * How often a pool must have seen a parameterised text before that is prepared under a name, so that the server parses and
   * plans it once for each connection. 0: at once; null: never. Default: 5, as in psycopg and pgjdbc. It is done only where
   * prepared statements were proven to work.
   */
  readonly prepareThreshold?: number | null
  /** Most statements kept prepared on one connection; beyond that the least recently used is closed. Default: 256, as in pgjdbc. */
  readonly maxPreparedStatements?: number
  /**
   * Which statements may be prepared. PostgreSQL keeps the types of a prepared statement's parameters when a migration changes the columns.
   * `proven` (the default): only statements and values for which that makes no difference. `all`: every statement. After
   * `ALTER COLUMN ... TYPE`, values may then be stored or compared as the old type, until the process is restarted.
   */
  readonly prepareTypes?: 'proven' | 'all'
}

/** Whether a pool prepares statements by itself, and why. */
export interface PreparingState {
  readonly active: boolean
  readonly reason: string
}

const DEFAULT_THRESHOLD = 5
const DEFAULT_MAX_PREPARED = 256
/** Behind a pooler that does not tell its own limit: below PgBouncer's default, which is 200 (max_prepared_statements). */
const MAX_PREPARED_BEHIND_POOLER = 100
const debug = debuglog('poolguard')

/** Texts met more than once, whose sightings are counted. */
const MAX_TEXTS = 2_000
/** Longer ones are generated, and hardly ever come again. */
const MAX_TEXT = 10_000
/** After so many surprises within an hour a pool no longer believes what it measures. */
const MAX_SURPRISES = 3
const SURPRISE_MILLIS = 3_600_000
/** After a transaction has failed because of a name, transactions go without names for so long. */
const TRANSACTION_PAUSE_MILLIS = 3_600_000

/** What gains from a plan that is kept; everything else is left alone. */
const PREPARABLE =
  /^(?:\s|--[^\n]*\n|\/\*(?:[^*]|\*(?!\/))*\*\/|\()*(?:select|insert|update|delete|with|merge|values)\b/i
/**
 * Literals that mean another moment each time, and are read once, when the statement is parsed
 * (https://www.postgresql.org/docs/current/datatype-datetime.html#DATATYPE-DATETIME-SPECIAL-VALUES).
 */
const MOVING_LITERAL = /'\s*(?:now|today|tomorrow|yesterday)\b/i
/** How the author of a query says that it is to be planned anew each time. */
const OPT_OUT = /\/\*\s*poolguard:\s*no-prepare\s*\*\//

/**
 * Checks the options that a user gave.
 *
 * @throws {InvalidOptionError} names the option and the value.
 */
export function validatePrepareOptions({
  prepareThreshold,
  maxPreparedStatements,
  prepareTypes,
}: PrepareOptions): void {
  if (prepareThreshold !== undefined && prepareThreshold !== null)
    requireInteger('prepareThreshold', prepareThreshold, 0)
  if (maxPreparedStatements !== undefined) requireInteger('maxPreparedStatements', maxPreparedStatements, 1)
  requireOneOf('prepareTypes', prepareTypes, ['proven', 'all'])
}

interface Seen {
  times: number
  /** Once it is prepared. */
  statement?: PreparedText
  /** Its plan no longer fitted. */
  stale?: true
}

/**
 * Decides which of a pool's statements are prepared under a name, for any driver: how often each text was seen, what the
 * other end is known to keep, and what was learnt from errors. What is prepared on one connection, `ConnectionStatements`
 * keeps.
 */
export class AutomaticStatements {
  readonly #threshold: number | null
  readonly #wishedMax: number
  readonly #preparesAll: boolean
  readonly #against: string | undefined
  readonly #surprised: (reason: string) => void
  readonly #sightings = new Sightings()
  readonly #texts = new RecentKeys<string, Seen>(MAX_TEXTS)
  /** Texts for which no name helps: the plan did not fit again, or a pooler's servers keep it, to which no Close gets through. */
  readonly #spoilt = new RecentKeys<string, true>(MAX_TEXTS)
  #topology: Topology | undefined
  /** When they were. */
  readonly #surprises: number[] = []
  #noNamesInTransactionsUntil = Number.NEGATIVE_INFINITY
  #state: PreparingState = { active: false, reason: 'the database has not been looked at yet' }
  /** Statements that were prepared before it changed may be stale, or unknown. */
  generation = 0

  /**
   * @param against what speaks against it, whatever is at the other end.
   * @param surprised told when a name was not known that should have been.
   * @throws {InvalidOptionError} names the option and the value.
   */
  constructor(
    {
      prepareThreshold = DEFAULT_THRESHOLD,
      maxPreparedStatements = DEFAULT_MAX_PREPARED,
      prepareTypes = 'proven',
    }: PrepareOptions,
    { against, surprised }: { readonly against?: string | undefined; readonly surprised: (reason: string) => void },
  ) {
    validatePrepareOptions({ prepareThreshold, maxPreparedStatements, prepareTypes })
    this.#threshold = prepareThreshold
    this.#wishedMax = maxPreparedStatements
    this.#preparesAll = prepareTypes === 'all'
    this.#against = against
    this.#surprised = surprised
  }

  get state(): PreparingState {
    return this.#state
  }

  /** Whether anything is prepared at all: what runs with every query asks this first. */
  get active(): boolean {
    return this.#state.active
  }

  /** The time by which statements are judged, also while a test fakes the global one. */
  now(): number {
    return systemClock.now()
  }

  /**
   * Whether a prepared statement's rows look the same for as long as it exists: PostgreSQL refuses it rather than change them
   * ("cached plan must not change result type"). A pooler runs it on one server or another, which may see tables otherwise.
   */
  get keepsRows(): boolean {
    return this.#topology?.kind === 'direct'
  }

  /** Most statements on one connection. */
  get maxPreparedStatements(): number {
    if (this.#topology?.kind !== 'pooler') return this.#wishedMax
    return Math.min(this.#wishedMax, this.#topology.pooler.maxPreparedStatements ?? MAX_PREPARED_BEHIND_POOLER)
  }

  /** Texts that are remembered. */
  get size(): number {
    return this.#texts.size
  }

  adopt(topology: Topology): void {
    this.#topology = topology
    const inTheWay = this.#inTheWay(topology)
    this.#state = { active: inTheWay === undefined, reason: inTheWay ?? describeTopology(topology) }
  }

  #inTheWay(topology: Topology): string | undefined {
    if (this.#threshold === null) return 'prepareThreshold is null'
    if (this.#against !== undefined) return this.#against
    if (this.#oftenSurprised) return 'prepared statements were lost too often'
    if (topology.preparedStatements !== 'safe') return describeTopology(topology)
    // Whose servers go to the next client as they are, where that is configured so.
    return isUntrackedSession(topology) ? `${describeTopology(topology)}, max_prepared_statements 0` : undefined
  }

  /** The statement that a text is to be prepared as, the same for every connection; undefined if it goes without a name. */
  find(text: string): PreparedText | undefined {
    if (!this.#state.active || text.length > MAX_TEXT) return undefined
    const seen = this.#texts.get(text)
    if (seen?.statement) return seen.statement
    if (seen) return ++seen.times > (this.#threshold as number) ? this.#decide(text, seen) : undefined
    return this.#meet(text, this.#threshold as number)
  }

  /** One that is not remembered: most that are met once never come again, and are not worth it. */
  #meet(text: string, threshold: number): PreparedText | undefined {
    if (threshold > 0 && !this.#sightings.meet(text)) return undefined
    const seen: Seen = { times: threshold > 0 ? 2 : 1 }
    this.#texts.add(text, seen)
    return seen.times > threshold ? this.#decide(text, seen) : undefined
  }

  #decide(text: string, seen: Seen): PreparedText | undefined {
    if (this.#spoilt.get(text) || !isPreparable(text)) {
      // Counted anew: to read it every time would cost more than it saves.
      seen.times = Number.NEGATIVE_INFINITY
      return undefined
    }
    seen.statement = new PreparedText(text)
    return seen.statement
  }

  /** Whether a statement that was prepared earlier may be used for these values. */
  allows(statement: PreparedText, values: readonly unknown[], now: number): boolean {
    return this.#preparesAll || statement.allows(values, this.#topology?.kind === 'pooler', now)
  }

  /** Whether the server is to be asked for the types of the parameters when it parses this statement. */
  asksForTypes(statement: PreparedText, now: number): boolean {
    return !this.#preparesAll && statement.isCheckDue(now)
  }

  /**
   * The server has told the types of a statement's parameters.
   *
   * @param name under which it was known when it was sent.
   * @param askedAt when it was sent.
   */
  described(statement: PreparedText, types: readonly number[], name: string, askedAt: number): void {
    if (this.#preparesAll) return
    const learnt = statement.learn(types, askedAt)
    if (learnt === 'changed') this.#stale(statement.text, name)
    else if (learnt !== 'known') {
      debug('a statement is not prepared, because %s: %s', learnt.unsafe, statement.text)
      this.spoil(statement.text)
    }
  }

  /** Whether names may be used in a transaction, where a statement cannot be sent again. */
  mayNameInTransaction(now: number): boolean {
    return now >= this.#noNamesInTransactionsUntil
  }

  /** A migration has run: what is prepared is parsed anew on every connection. */
  renew(): void {
    this.generation++
  }

  /** Whether it is to go without a name, whoever would choose it. */
  isSpoilt(text: string): boolean {
    return this.#spoilt.size > 0 && this.#spoilt.get(text) === true
  }

  /**
   * A prepared statement was refused before anything of it was executed, and not for the caller's fault.
   *
   * @param name by which it was sent: several connections may meet the same plan before one has told of it.
   */
  failed(failure: Exclude<StatementFailure, 'suspect'>, text: string, name?: string): void {
    if (failure === 'stale') this.#stale(text, name)
    else this.#lost()
  }

  /**
   * A prepared statement was refused in a transaction, where it could not be sent again without its name. Of bad data (class 22) the name
   * is mostly not the reason. For a plan that does not fit, or a type that no longer exists, it is: then other statements may fail for the same
   * reason, and each would cost a transaction.
   */
  failedInTransaction(failure: 'stale' | 'suspect', text: string, code: unknown): void {
    const errorClass = String(code).slice(0, 2)
    if (failure === 'suspect' && errorClass === '22' && this.#topology?.kind !== 'pooler') return
    this.spoil(text)
    if (failure === 'suspect' && errorClass !== 'XX') return
    this.#noNamesInTransactionsUntil = systemClock.now() + TRANSACTION_PAUSE_MILLIS
    this.renew()
  }

  /** Once it is parsed anew, on every connection, under another name; a plan that does not fit again comes from how it is used. */
  #stale(text: string, name: string | undefined): void {
    const seen = this.#texts.get(text)
    if (seen && name !== undefined && seen.statement?.name !== name) return
    // What changed one statement may have changed others.
    this.renew()
    if (this.#topology?.kind === 'pooler' || !seen?.statement || seen.stale) {
      this.spoil(text)
      return
    }
    seen.stale = true
    seen.statement.rename()
  }

  /** From now on it goes without a name. */
  spoil(text: string): void {
    this.#spoilt.add(text, true)
    const seen = this.#texts.get(text)
    if (!seen) return
    delete seen.statement
    seen.times = Number.NEGATIVE_INFINITY
  }

  #lost(): void {
    this.generation++
    if (!this.#state.active) return
    this.#surprises.push(systemClock.now())
    const reason = 'the server did not know a statement that was prepared'
    this.#state = { active: false, reason }
    const outlook = this.#oftenSurprised ? 'for the next hour' : 'until the database has been looked at again'
    this.#surprised(`Statements are no longer prepared automatically, ${outlook}: ${reason}.`)
  }

  get #oftenSurprised(): boolean {
    const since = systemClock.now() - SURPRISE_MILLIS
    return this.#surprises.filter((at) => at > since).length >= MAX_SURPRISES
  }
}

/** Not a query that changes settings itself, nor one whose text means something else each time it is parsed. */
function isPreparable(text: string): boolean {
  return PREPARABLE.test(text) && !MOVING_LITERAL.test(text) && !OPT_OUT.test(text) && !mayCallSetConfig(text)
}

function isUntrackedSession(topology: Topology): boolean {
  if (topology.kind !== 'pooler') return false
  const { name, mode, maxPreparedStatements } = topology.pooler
  return name === 'PgBouncer' && mode === 'session' && maxPreparedStatements === undefined
}
