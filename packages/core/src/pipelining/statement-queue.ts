import type { RoundTrip } from './round-trip.ts'
import type { StatementProfile } from './statement-profile.ts'

/** Maximum number of statements in flight on one connection; postgres.js has the same limit (`max_pipeline`). */
export const MAX_DEPTH: number = 100
/** Maximum total size of the requests in flight on one connection, except that one request of any size may run alone. */
export const MAX_BYTES: number = 128 * 1_024
/** A head may exceed its expectation by this part of the limit, because the event loop, the network and the server are never on time. */
const TOLERANCE = 1 / 2
/** One service time counts as at most this many times the limit, so that one slow run does not change the mean much. */
const MAX_SAMPLE_IN_LIMITS = 2

/** A statement that is in flight. */
export interface QueuedStatement {
  readonly profile: StatementProfile
  /** The approximate size of its request. */
  readonly bytes: number
}

interface InFlight<S> {
  readonly statement: S
  readonly sentAt: number
  /** The service time that was expected when it was sent. */
  readonly expectedMillis: number
}

/**
 * The statements in flight on one connection, in the order in which the server answers them. The first one, the head, is the one
 * that the server is working on. All times are by the caller's clock, and a statement's expected time is without the network.
 */
export class StatementQueue<S extends QueuedStatement> {
  readonly #shareWithinMillis: number
  readonly #roundTrip: RoundTrip
  readonly #inFlight: InFlight<S>[] = []
  /** When the previous head was answered. */
  #headSince = Number.NEGATIVE_INFINITY
  #bytes = 0
  /** The sum of the expected times of all statements in flight. */
  #expectedMillis = 0
  #refusal: string | undefined

  constructor(shareWithinMillis: number, roundTrip: RoundTrip) {
    this.#shareWithinMillis = shareWithinMillis
    this.#roundTrip = roundTrip
  }

  get depth(): number {
    return this.#inFlight.length
  }

  get bytes(): number {
    return this.#bytes
  }

  get head(): S | undefined {
    return this.#inFlight[0]?.statement
  }

  /** The statement directly behind the head. */
  get second(): S | undefined {
    return this.#inFlight[1]?.statement
  }

  /** How long the head has been running. */
  headMillis(now: number): number {
    const head = this.#inFlight[0]
    return head ? Math.max(0, now - this.#beganAt(head)) : 0
  }

  /** Accepts nothing until the queue is empty. The first reason stays. */
  refuse(reason: string): void {
    this.#refusal ??= reason
  }

  get refusal(): string | undefined {
    return this.#refusal
  }

  /** The expected time until a statement that is sent now becomes the head, without the network. */
  expectedMillis(now: number): number {
    const head = this.#inFlight[0]
    if (!head) return 0
    const elapsed = Math.min(Math.max(0, now - this.#beganAt(head)), head.expectedMillis)
    return Math.max(0, this.#expectedMillis - elapsed)
  }

  /** Whether the head takes longer than expected. */
  isOverdue(now: number): boolean {
    const head = this.#inFlight[0]
    if (!head) return false
    const { deviation } = head.statement.profile.service
    return (
      now - this.#beganAt(head) > head.expectedMillis + Math.max(4 * deviation, this.#shareWithinMillis * TOLERANCE)
    )
  }

  /** Why a statement must not be sent behind those in flight; undefined if it may. */
  reasonAgainst({ profile, bytes }: S, now: number): string | undefined {
    if (this.#refusal !== undefined) return this.#refusal
    const last = this.#inFlight.at(-1)
    if (!last) return 'nothing is in flight'
    if (!profile.isFast(this.#shareWithinMillis)) return profile.service.isKnown ? 'it is slow' : 'it is unknown'
    if (!last.statement.profile.isFast(this.#shareWithinMillis)) return 'a statement ahead is unknown or slow'
    // A statement that was measured only together with the network may turn out to be slow: then it delays nothing.
    const isUnsure = this.depth > 1 ? !last.statement.profile.service.isObserved : false
    if (isUnsure) return 'a statement ahead has never been measured behind another one'
    if (!profile.service.isObserved && this.depth > 1) return 'it has never been measured behind another one'
    if (this.depth >= MAX_DEPTH) return `${MAX_DEPTH} statements are in flight`
    if (this.#bytes + bytes > MAX_BYTES) return `${MAX_BYTES} bytes are in flight`
    if (this.isOverdue(now)) return 'the head takes longer than expected'
    if (this.expectedMillis(now) >= this.#shareWithinMillis) return 'the expected time ahead is too long'
    return undefined
  }

  add(statement: S, now: number): void {
    const expectedMillis = statement.profile.service.mean
    this.#inFlight.push({ statement, sentAt: now, expectedMillis })
    this.#bytes += statement.bytes
    this.#expectedMillis += expectedMillis
  }

  /**
   * A statement was answered. Learns its service time if it was the head and succeeded; a failure teaches only that it takes longer.
   *
   * @returns true if it was the head.
   */
  finish(statement: S, now: number, failed: boolean): boolean {
    const index = this.#inFlight.findIndex((each) => each.statement === statement)
    const [finished] = index < 0 ? [] : this.#inFlight.splice(index, 1)
    if (!finished) return false
    this.#bytes -= statement.bytes
    this.#expectedMillis = this.depth === 0 ? 0 : this.#expectedMillis - finished.expectedMillis
    if (index > 0) return false
    this.#learn(finished, now, failed)
    this.#headSince = now
    if (this.depth === 0) this.#refusal = undefined
    return true
  }

  #learn(finished: InFlight<S>, now: number, failed: boolean): void {
    const { service } = finished.statement.profile
    if (!failed) this.#roundTrip.record(now - finished.sentAt, now)
    const millis = Math.max(0, now - this.#beganAt(finished))
    const observed = this.#headSince >= finished.sentAt + this.#roundTrip.millis
    if (!failed || millis > service.mean)
      service.record(millis, observed, this.#shareWithinMillis * MAX_SAMPLE_IN_LIMITS)
  }

  /** The server can answer a head at the earliest a round trip after it was sent, and not before its predecessor. */
  #beganAt({ sentAt }: InFlight<S>): number {
    return Math.max(this.#headSince, sentAt + this.#roundTrip.millis)
  }
}
