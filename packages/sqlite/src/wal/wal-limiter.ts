import { statSync } from 'node:fs'
import type { WalSnapshot } from '@poolguard/core'
import { type AcquireOptions, type Lease, type Pool, systemClock } from '@poolguard/core/adapter'
import type { SqliteConnection } from '../connection/sqlite-connection.ts'
import { ReadGate } from './read-gate.ts'
import { describeWalProblem, isWritable, type WalObstacle } from './wal-problem.ts'

/** While the pool is in use, the WAL is measured this often. */
const MEASURE_MILLIS = 100
/** The pool makes a gap between reads from this share of `maxWalBytes` on, so that the WAL stays below it meanwhile. */
const START_SHARE = 0.5
/** How often the pool checks whether the reads under way have ended. */
const POLL_MILLIS = 2
/** Between two checkpoints of one attempt other processes can write. */
const RETRY_MILLIS = 100
/** While a caller holds a read open, other reads wait this long in the first attempt, and twice as long in each further one. */
const FIRST_ATTEMPT_MILLIS = 100
/** No read waits longer than this in one attempt. */
const MAX_ATTEMPT_MILLIS = 5_000
/** After a failed attempt, reads are free for at least this many times its duration. */
const PAUSE_FACTOR = 2

/** A checkpoint is short, and the callers wait for it in any case. */
const AHEAD_OF_CALLERS: AcquireOptions = { internal: 'first', timeoutMillis: Infinity }

/** An obstacle that has lasted for this long is reported. */
const LASTING_MILLIS = 1_000

export interface WalLimiterOptions {
  /** The database's path. */
  readonly file: string
  /** The setting `maxWalBytes`. */
  readonly maxBytes: number
  readonly readers: () => Pool<SqliteConnection>
  readonly writer: () => Pool<SqliteConnection>
  /** No read is held back for longer than this. */
  readonly maxHoldMillis: number
  readonly warn: (message: string) => void
}

/** How large the WAL may get before the pool resets it; SQLite truncates the file to this after each reset. */
export function walBytesToKeep(maxWalBytes: number): number {
  return Math.floor(maxWalBytes * START_SHARE)
}

/**
 * Keeps the WAL below `maxWalBytes`. SQLite resets the WAL by itself when a write finds no read under way. When that has not
 * happened for too long, the limiter closes the {@link ReadGate}, waits until the long reads have ended, and has the writer
 * truncate the WAL.
 *
 * Other processes on the same file hold their own reads back: each sees the same size, and pauses end by the wall clock, so
 * that their attempts coincide.
 */
export class WalLimiter {
  /** Where the reads of this process wait while the WAL is being reset. */
  readonly gate: ReadGate = new ReadGate()
  readonly #options: WalLimiterOptions
  readonly #bytesToKeep: number
  #used = false
  #measuring = false
  #attempt: Promise<void> | undefined
  #attemptMillis = FIRST_ATTEMPT_MILLIS
  #nextAttempt = -Infinity
  /** Reads that did not end during the last attempt: no further attempt is made before they have. */
  #blockers: readonly Lease<SqliteConnection>[] = []
  #obstacle: WalObstacle | undefined
  #obstacleSince = 0
  #warned = false
  readonly #stop = new AbortController()

  constructor(options: WalLimiterOptions) {
    this.#options = options
    this.#bytesToKeep = walBytesToKeep(options.maxBytes)
  }

  /** A connection is being acquired: the WAL is measured from now on, until the pool is no longer in use. */
  noticeUse(): void {
    this.#used = true
    if (this.#measuring || this.#stop.signal.aborted) return
    this.#measuring = true
    this.#measureLater()
  }

  snapshot(): WalSnapshot {
    const { file, maxBytes } = this.#options
    const bytes = this.#measure()
    const obstacle = systemClock.now() - this.#obstacleSince >= LASTING_MILLIS ? this.#obstacle : undefined
    const problem = obstacle && bytes > maxBytes ? describeWalProblem({ file, bytes, maxBytes }, obstacle) : null
    return { bytes, maxBytes, problem }
  }

  /** Releases the waiting reads, and resolves when no attempt is running any more. */
  async stop(): Promise<void> {
    this.#stop.abort()
    const { opened } = this.gate
    this.gate.open()
    // The reads that have waited longer than this call acquire their connections first.
    await opened
    await this.#attempt
  }

  #measure(): number {
    return statSync(`${this.#options.file}-wal`, { throwIfNoEntry: false })?.size ?? 0
  }

  #measureLater(): void {
    const untilAttempt = this.#nextAttempt - systemClock.now()
    const millis = untilAttempt > 0 ? Math.min(MEASURE_MILLIS, untilAttempt) : MEASURE_MILLIS
    systemClock.after(millis, () => this.#check(), { background: true })
  }

  #check(): void {
    const { active } = this.#options.readers().counts
    const isLarge = this.#measure() > this.#bytesToKeep
    if (isLarge) {
      this.#warnOfProblem()
      if (this.#mayAttempt()) this.#attempt = this.#reset().finally(() => (this.#attempt = undefined))
    } else if (!this.#attempt) this.#succeeded()
    this.#measuring = (isLarge || this.#used || active + this.#options.writer().counts.active > 0) && !this.#stopped
    this.#used = false
    if (this.#measuring) this.#measureLater()
  }

  get #stopped(): boolean {
    return this.#stop.signal.aborted
  }

  #mayAttempt(): boolean {
    if (this.#stopped || this.#attempt || systemClock.now() < this.#nextAttempt) return false
    return !this.#blockers.some(({ active }) => active)
  }

  async #reset(): Promise<void> {
    const { file } = this.#options
    let limit = FIRST_ATTEMPT_MILLIS
    try {
      if (isWritable(file)) {
        await this.#waitForWriter()
        limit = this.#holdMillis
        this.#setObstacle(await this.#truncateBetweenReads(systemClock.now() + limit))
      } else this.#setObstacle({ kind: 'not writable' })
    } catch (error) {
      this.#setObstacle({ kind: 'failed', error })
    } finally {
      this.gate.open()
    }
    if (this.#obstacle) this.#failed(limit)
    else this.#succeeded()
  }

  #setObstacle(obstacle: WalObstacle | undefined): void {
    if (!this.#obstacle) this.#obstacleSince = systemClock.now()
    this.#obstacle = obstacle
  }

  /** While a transaction writes, the WAL cannot be reset: no read needs to wait for that. */
  async #waitForWriter(): Promise<void> {
    const writer = this.#options.writer()
    const blocked = () => {
      if (writer.counts.active > 0) this.#setObstacle({ kind: 'write', pool: writer })
    }
    const cancel = systemClock.after(FIRST_ATTEMPT_MILLIS, blocked, { background: true })
    try {
      const lease = await writer.acquire({ ...AHEAD_OF_CALLERS, signal: this.#stop.signal })
      lease.release()
    } finally {
      cancel()
    }
  }

  /** Statements end by themselves. An iteration may go on for as long as its caller likes, who may be waiting for a read. */
  get #holdMillis(): number {
    const millis = this.gate.isHeldByCaller ? this.#attemptMillis : MAX_ATTEMPT_MILLIS
    return Math.min(millis, this.#options.maxHoldMillis)
  }

  async #truncateBetweenReads(deadline: number): Promise<WalObstacle | undefined> {
    const { gate } = this
    gate.close()
    while (gate.underWay.length > 0 && this.#isBefore(deadline)) await pause(POLL_MILLIS)
    this.#blockers = gate.underWay
    // Not every read that is under way has a snapshot: an iteration may have read all of its rows.
    let obstacle = await this.#truncate(deadline)
    while (obstacle?.kind === 'another process' && this.#blockers.length === 0 && this.#isBefore(deadline)) {
      await pause(RETRY_MILLIS)
      obstacle = await this.#truncate(deadline)
    }
    if (obstacle?.kind !== 'another process' || this.#blockers.length === 0) return obstacle
    return { kind: 'read', pool: this.#options.readers() }
  }

  #isBefore(deadline: number): boolean {
    return !this.#stopped && systemClock.now() < deadline
  }

  async #truncate(deadline: number): Promise<WalObstacle | undefined> {
    const writer = this.#options.writer()
    const tooLate = new AbortController()
    const cancel = systemClock.after(Math.max(FIRST_ATTEMPT_MILLIS, deadline - systemClock.now()), () =>
      tooLate.abort(),
    )
    let lease: Lease<SqliteConnection>
    try {
      const signal = AbortSignal.any([tooLate.signal, this.#stop.signal])
      lease = await writer.acquire({ ...AHEAD_OF_CALLERS, signal })
    } catch (error) {
      if (tooLate.signal.aborted && writer.counts.active > 0) return { kind: 'write', pool: writer }
      throw error
    } finally {
      cancel()
    }
    try {
      const { values } = await lease.resource.ask(['checkpoint'])
      return values[0] === 0 ? undefined : { kind: 'another process' }
    } finally {
      lease.release()
    }
  }

  #succeeded(): void {
    this.#attemptMillis = FIRST_ATTEMPT_MILLIS
    this.#blockers = []
    this.#obstacle = undefined
    this.#warned = false
  }

  #failed(limit: number): void {
    this.#attemptMillis = Math.min(MAX_ATTEMPT_MILLIS, this.#attemptMillis * 2)
    const pauseMillis = pauseAfter(Math.max(limit, this.#attemptMillis))
    this.#nextAttempt = systemClock.now() + pauseMillis + (pauseMillis - (Date.now() % pauseMillis))
  }

  /** Once, until the WAL has been reset. */
  #warnOfProblem(): void {
    if (this.#warned || this.#stopped) return
    const { problem } = this.snapshot()
    if (problem === null) return
    this.#warned = true
    this.#options.warn(problem)
  }
}

/** Pauses double, so that the end of a long pause in one process coincides with the end of a short pause in every other. */
function pauseAfter(attemptMillis: number): number {
  let pauseMillis = FIRST_ATTEMPT_MILLIS
  while (pauseMillis < attemptMillis * PAUSE_FACTOR) pauseMillis *= 2
  return pauseMillis
}

/** Not in the background: the reads that wait at the gate keep the process alive. */
function pause(millis: number): Promise<void> {
  return new Promise((resolve) => void systemClock.after(millis, resolve))
}
