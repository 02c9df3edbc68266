import { judgeQueryError } from './eviction-rules.ts'
import { FutileEvictions } from './futile-evictions.ts'
import { readError } from './read-error.ts'
import { readSessionState, SESSION_QUERY, type SessionState } from './session-state.ts'

/** The session is checked after this many consecutive failures with one SQLSTATE, then after twice as many, and so on. */
const CHECK_AFTER = 3
/** After this many failures the connection is evicted without further evidence, if other connections have succeeded. */
const EVICT_AFTER = 10

/** SQLSTATE read_only_sql_transaction. */
const READ_ONLY = '25006'

/** The assumed state of a session that cannot answer the query: it must not be handed to another caller. */
const UNANSWERED: SessionState = { readOnlyBy: 'session', changed: true }

/** Runs a query on an idle session, and returns its single value. */
export type AskSession = (text: string) => Promise<string | null | undefined>

/** State that all connections of a pool share. */
export class SharedHealth {
  /** Query rounds without an error, over all connections. */
  successes = 0
  readonly evictions: FutileEvictions = new FutileEvictions()
}

/**
 * Decides at release whether the pool must evict a connection, by the errors of its queries. An error that proves the connection
 * invalid evicts it immediately. Other errors evict it only if query after query fails, and either the session differs from a new
 * one or other connections succeed.
 */
export class SessionHealth {
  /** Called at once when the server rejects a write because the transaction is read-only. */
  onReadOnly: (() => void) | undefined
  readonly #shared: SharedHealth
  readonly #openedAt: number
  /** The current query round has failed. */
  #failed = false
  /** The reason to evict or check the connection. */
  #verdict: 'lost-statement' | 'evict' | 'check' | undefined
  /** The SQLSTATE of the verdict, or of the consecutive failures. */
  #code = ''
  #failures = 0
  #checkAt = CHECK_AFTER
  /** The pool's successes at the time of the first consecutive failure. */
  #successesBefore = 0

  constructor(shared: SharedHealth, now: number) {
    this.#shared = shared
    this.#openedAt = now
  }

  /**
   * Records the error of a query.
   *
   * @param lostStatement whether a named statement of the app no longer exists on the server or no longer matches: the driver
   * relies on it for the lifetime of the connection.
   */
  failed(error: unknown, lostStatement = false): void {
    this.#failed = true
    const verdict = lostStatement ? 'lost-statement' : judgeQueryError(error)
    if (verdict === 'keep') return
    const { code } = readError(error)
    if (code === READ_ONLY) this.onReadOnly?.()
    if (verdict === 'count') {
      this.#count(code)
    } else if (this.#verdict === undefined || this.#verdict === 'check') {
      this.#verdict = verdict
      this.#code = code
      this.#failures = 0
    }
  }

  #count(code: string): void {
    if (this.#failures === 0 || code !== this.#code) {
      // Do not overwrite the code of the verdict.
      if (this.#verdict !== undefined) return
      this.#code = code
      this.#failures = 0
      this.#checkAt = CHECK_AFTER
      this.#successesBefore = this.#shared.successes
    }
    this.#failures++
  }

  /**
   * Records that the server is ready for the next query.
   *
   * @param neutral whether the round started or ended a transaction, which works in any session and proves nothing.
   */
  ready(neutral: boolean): void {
    const failed = this.#failed
    this.#failed = false
    if (failed || neutral) return
    this.#shared.successes++
    this.#failures = 0
  }

  /** Discards the recorded failure: the query succeeded when it was sent again in another way. */
  forgive(): void {
    this.#failed = false
    this.#verdict = undefined
    this.#failures = 0
  }

  /** Whether there is no reason to evict or check the connection. Cheap, since this is the common case. */
  get isFine(): boolean {
    return this.#verdict === undefined && this.#failures < this.#checkAt
  }

  /** Whether the pool must evict the connection. Call it only outside of a transaction. */
  async isSick(ask: AskSession, now: number): Promise<boolean> {
    const verdict = this.#verdict
    const sick = verdict === 'lost-statement' || verdict === 'evict' || (await this.#isChanged(ask))
    this.#verdict = undefined
    if (!sick) return false
    // The limit of futile evictions does not apply: a new connection has no lost statement.
    return verdict === 'lost-statement' || this.#shared.evictions.mayEvict(this.#code, this.#openedAt, now)
  }

  async #isChanged(ask: AskSession): Promise<boolean> {
    const othersSucceed = this.#shared.successes > this.#successesBefore
    const { readOnlyBy, changed } = await ask(SESSION_QUERY)
      .then(readSessionState)
      .catch(() => UNANSWERED)
    if (this.#verdict === 'check') return readOnlyBy === 'server' || readOnlyBy === 'session'
    this.#checkAt = this.#failures * 2
    return changed || (this.#failures >= EVICT_AFTER && othersSucceed)
  }
}
