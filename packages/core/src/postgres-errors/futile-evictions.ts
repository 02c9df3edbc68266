/** How long no connection is evicted for an SQLSTATE after a fresh one has failed alike: doubled each time, up to the second. */
const FIRST_PAUSE_MILLIS = 1_000
const MAX_PAUSE_MILLIS = 600_000

/** A connection that fails so soon after it was opened, to replace another one, shows that replacing does not help. */
const FRESH_MILLIS = 10_000

/** So many SQLSTATEs are remembered; of more the oldest is forgotten. */
const MAX_CODES = 100

interface Incident {
  /** When the first connection was evicted for it. */
  since: number
  pauseMillis: number
  pausedUntil: number
  lastFailureAt: number
}

/**
 * Bounds what evicting costs where it does not help: an app that writes through a pool of a standby, say. If a connection that
 * was opened after an eviction soon fails alike, no connection is evicted for that SQLSTATE for a while.
 */
export class FutileEvictions {
  readonly #incidents = new Map<string, Incident>()

  /** Whether a connection that was opened at a time may be evicted for an SQLSTATE. */
  mayEvict(code: string, openedAt: number, now: number): boolean {
    const incident = this.#incidents.get(code)
    if (!incident || now - incident.lastFailureAt > 2 * MAX_PAUSE_MILLIS) {
      this.#begin(code, now)
      return true
    }
    incident.lastFailureAt = now
    if (now < incident.pausedUntil) return false
    // A pause is over: whether replacing helps by now is tried once more.
    if (incident.pausedUntil > incident.since) {
      incident.since = now
      return true
    }
    if (openedAt <= incident.since || now - openedAt > FRESH_MILLIS) return true
    incident.pauseMillis = Math.min(MAX_PAUSE_MILLIS, Math.max(FIRST_PAUSE_MILLIS, incident.pauseMillis * 2))
    incident.pausedUntil = now + incident.pauseMillis
    return false
  }

  #begin(code: string, now: number): void {
    this.#incidents.delete(code)
    this.#incidents.set(code, { since: now, pauseMillis: 0, pausedUntil: 0, lastFailureAt: now })
    const [oldest] = this.#incidents.keys()
    if (this.#incidents.size > MAX_CODES && oldest !== undefined) this.#incidents.delete(oldest)
  }
}
