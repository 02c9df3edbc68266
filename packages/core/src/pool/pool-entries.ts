import type { EntryState, PoolEntry } from './lease.ts'

/** The open resources of a pool. Only `move` changes a state, and every count follows from it. */
export class PoolEntries<R> implements Iterable<PoolEntry<R>> {
  readonly #setIdle: (resource: R, idle: boolean) => void
  readonly #open = new Set<PoolEntry<R>>()
  /** The resource that was used last is at the end, so they are in the order of `idleSince`. */
  readonly #idle: PoolEntry<R>[] = []
  #validating = 0
  #slow = 0
  #closing = 0

  /** @param setIdle called when a resource becomes idle, and when it stops being idle. */
  constructor(setIdle: (resource: R, idle: boolean) => void) {
    this.#setIdle = setIdle
  }

  /** Resources that are not closing. */
  get open(): number {
    return this.#open.size
  }

  get idle(): number {
    return this.#idle.length
  }

  get leased(): number {
    return this.#open.size - this.#idle.length - this.#validating
  }

  get validating(): number {
    return this.#validating
  }

  /** Validations that began a moment ago: a waiter can count on each. */
  get validatingSoon(): number {
    return this.#validating - this.#slow
  }

  get closing(): number {
    return this.#closing
  }

  /** The idle resource that was used last. */
  get lastIdle(): PoolEntry<R> | undefined {
    return this.#idle.at(-1)
  }

  /** The one that is idle longest. */
  get firstIdle(): PoolEntry<R> | undefined {
    return this.#idle[0]
  }

  /** A copy, the longest idle first: entries may be moved while it is read. */
  get allIdle(): readonly PoolEntry<R>[] {
    return [...this.#idle]
  }

  /** The open ones, in the order in which they were opened. */
  [Symbol.iterator](): Iterator<PoolEntry<R>> {
    return this.#open.values()
  }

  /** Adds a resource that was opened just now, in state `validating`. */
  add(entry: PoolEntry<R>): void {
    this.#open.add(entry)
    this.#validating++
  }

  move(entry: PoolEntry<R>, state: EntryState): void {
    const before = entry.state
    if (before === state) return
    entry.state = state
    if (before === 'idle') this.#leaveIdle(entry)
    if (before === 'validating') this.#leaveValidating(entry)
    if (state === 'validating') this.#validating++
    if (state === 'closing') {
      this.#open.delete(entry)
      this.#closing++
    }
    if (state === 'idle') {
      this.#idle.push(entry)
      this.#setIdle(entry.resource, true)
    }
  }

  /** A validation takes longer than waiters should count on. */
  markSlow(entry: PoolEntry<R>): void {
    if (entry.state !== 'validating' || entry.isSlow) return
    entry.isSlow = true
    this.#slow++
  }

  /** The server has let go of an entry in state `closing`. */
  closed(): void {
    this.#closing--
  }

  #leaveIdle(entry: PoolEntry<R>): void {
    if (this.#idle.at(-1) === entry) this.#idle.pop()
    else this.#idle.splice(this.#idle.indexOf(entry), 1)
    this.#setIdle(entry.resource, false)
  }

  #leaveValidating(entry: PoolEntry<R>): void {
    this.#validating--
    if (!entry.isSlow) return
    entry.isSlow = false
    this.#slow--
  }
}
