import { judgeQueryError } from './eviction-rules.ts'
import { FutileEvictions } from './futile-evictions.ts'
import { readError } from './read-error.ts'
import { readSessionState, SESSION_QUERY, type SessionState } from './session-state.ts'

/** After so many failures in a row, all with one SQLSTATE, the session is asked; then again after twice as many, and so on. */
const ASK_AFTER = 3
/** After so many the connection is evicted without further evidence, if others have answered meanwhile. */
const EVICT_AFTER = 10

/** A session that cannot answer the least of questions is not fit for the next borrower. */
const UNANSWERED: SessionState = { readOnlyBy: 'session', changed: true }

/** Runs a text on a session that is at rest, and answers the one value. */
export type AskSession = (text: string) => Promise<string | null | undefined>

/** What all connections of a pool share. */
export class SharedHealth {
  /** Rounds without an error, of all connections. */
  successes = 0
  readonly evictions: FutileEvictions = new FutileEvictions()
}

/**
 * Whether one connection may be lent again, judged by the errors of its queries when it is released. An error that proves it unfit
 * costs the connection at once. Others do only if query after query fails, and the session is not what a fresh one would be, or
 * other connections succeed meanwhile.
 */
export class SessionHealth {
  readonly #shared: SharedHealth
  readonly #openedAt: number
  /** The round that is under way has failed. */
  #failed = false
  /** What speaks against it. */
  #verdict: 'lost-statement' | 'evict' | 'ask' | undefined
  /** Of what speaks against it, or of the failures in a row. */
  #code = ''
  #failures = 0
  #askAt = ASK_AFTER
  /** The pool's successes when the first of the failures happened. */
  #successesBefore = 0

  constructor(shared: SharedHealth, now: number) {
    this.#shared = shared
    this.#openedAt = now
  }

  /**
   * A query has failed.
   *
   * @param lostStatement the server has lost, or outlived, a statement that the app has named: the driver goes on to count on it for as
   * long as the connection lives.
   */
  failed(error: unknown, lostStatement = false): void {
    this.#failed = true
    const verdict = lostStatement ? 'lost-statement' : judgeQueryError(error)
    if (verdict === 'keep') return
    const { code } = readError(error)
    if (verdict === 'count') {
      this.#count(code)
    } else if (this.#verdict === undefined || this.#verdict === 'ask') {
      this.#verdict = verdict
      this.#code = code
      this.#failures = 0
    }
  }

  #count(code: string): void {
    if (this.#failures === 0 || code !== this.#code) {
      // A verdict keeps its own code.
      if (this.#verdict !== undefined) return
      this.#code = code
      this.#failures = 0
      this.#askAt = ASK_AFTER
      this.#successesBefore = this.#shared.successes
    }
    this.#failures++
  }

  /**
   * The server is ready for the next query.
   *
   * @param neutral the round began or ended a transaction, which works in any session.
   */
  ready(neutral: boolean): void {
    const failed = this.#failed
    this.#failed = false
    if (failed || neutral) return
    this.#shared.successes++
    this.#failures = 0
  }

  /** What failed has worked after all, when it was sent otherwise. */
  forgive(): void {
    this.#failed = false
    this.#verdict = undefined
    this.#failures = 0
  }

  /** Nothing speaks against lending it again. The common case, and so cheap. */
  get isFine(): boolean {
    return this.#verdict === undefined && this.#failures < this.#askAt
  }

  /** Whether it is not to be lent again. Outside of a transaction only. */
  async isSick(ask: AskSession, now: number): Promise<boolean> {
    const verdict = this.#verdict
    const sick = verdict === 'lost-statement' || verdict === 'evict' || (await this.#isChanged(ask))
    this.#verdict = undefined
    if (!sick) return false
    // A fresh connection has no statement to lose.
    return verdict === 'lost-statement' || this.#shared.evictions.mayEvict(this.#code, this.#openedAt, now)
  }

  async #isChanged(ask: AskSession): Promise<boolean> {
    const othersSucceed = this.#shared.successes > this.#successesBefore
    const { readOnlyBy, changed } = await ask(SESSION_QUERY)
      .then(readSessionState)
      .catch(() => UNANSWERED)
    if (this.#verdict === 'ask') return readOnlyBy === 'server' || readOnlyBy === 'session'
    this.#askAt = this.#failures * 2
    return changed || (this.#failures >= EVICT_AFTER && othersSucceed)
  }
}
