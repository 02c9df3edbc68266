import { type Lease, systemClock } from '@poolguard/core/adapter'
import type { SqliteConnection } from '../connection/sqlite-connection.ts'

const QUICK_MILLIS = 1

/**
 * Whether a read is so short that it need not pass the gate: the checkpoint itself waits longer than that for a snapshot.
 *
 * @param expectedMillis how long the read takes; undefined if that is unknown.
 */
export function isQuick(expectedMillis: number | undefined): boolean {
  return expectedMillis !== undefined && expectedMillis < QUICK_MILLIS
}

/** A read that may keep its snapshot for longer than a quick one does. */
interface LongRead {
  readonly lease: Lease<SqliteConnection>
  /** By the system clock; undefined for a statement of unknown duration, Infinity if the read ends when its caller ends it. */
  readonly expectedEnd: number | undefined
}

/**
 * SQLite can reset the WAL only at a moment when no read transaction uses it. Reads that overlap leave no such moment. While the
 * gate is closed, a read waits if it would end later than the longest of the running reads, so that the moment comes.
 * Quick reads, and reads that end before the longest one, are not delayed.
 */
export class ReadGate {
  readonly #reads = new Set<LongRead>()
  #opened: PromiseWithResolvers<void> | undefined

  /** Whether a read has to wait until the gate opens. */
  holds(expectedMillis: number | undefined): boolean {
    if (this.#opened === undefined) return false
    if (expectedMillis === undefined) return true
    return systemClock.now() + expectedMillis > this.#lastExpectedEnd
  }

  /** Resolves when the gate opens; immediately if it is open. */
  get opened(): Promise<void> {
    return this.#opened?.promise ?? Promise.resolve()
  }

  /** Notes a read that starts. */
  started(lease: Lease<SqliteConnection>, expectedMillis: number | undefined): void {
    this.#dropEnded()
    const expectedEnd = expectedMillis === undefined ? undefined : systemClock.now() + expectedMillis
    this.#reads.add({ lease, expectedEnd })
  }

  /** The leases of the long reads under way. */
  get underWay(): readonly Lease<SqliteConnection>[] {
    this.#dropEnded()
    return [...this.#reads].map(({ lease }) => lease)
  }

  /** When the last of the reads with a known duration ends, by the system clock; `-Infinity` if there is none. */
  get #lastExpectedEnd(): number {
    this.#dropEnded()
    let last = -Infinity
    for (const { expectedEnd = -Infinity } of this.#reads)
      if (expectedEnd < Infinity) last = Math.max(last, expectedEnd)
    return last
  }

  /** Whether a read under way ends only when its caller ends it: an iteration, or a transaction. */
  get isHeldByCaller(): boolean {
    this.#dropEnded()
    for (const { expectedEnd } of this.#reads) if (expectedEnd === Infinity) return true
    return false
  }

  close(): void {
    this.#opened ??= Promise.withResolvers()
  }

  open(): void {
    this.#opened?.resolve()
    this.#opened = undefined
  }

  #dropEnded(): void {
    for (const read of this.#reads) if (!read.lease.active) this.#reads.delete(read)
  }
}
