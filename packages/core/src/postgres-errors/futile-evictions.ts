/** The pause of evictions for an SQLSTATE after a new connection has failed with it. It doubles each time, up to the maximum. */
const FIRST_PAUSE_MILLIS = 1_000
const MAX_PAUSE_MILLIS = 600_000

/** If a replacement connection fails with the same SQLSTATE within this time, replacing does not help. */
const FRESH_MILLIS = 10_000

/** The number of SQLSTATEs that are remembered; the oldest is dropped first. */
const MAX_CODES = 100

interface Incident {
  /** When the first connection was evicted for the SQLSTATE. */
  since: number
  pauseMillis: number
  pausedUntil: number
  lastFailureAt: number
}

/**
 * Limits the cost of evictions that do not help, for example if an app writes to a standby. If a connection that was opened after
 * an eviction soon fails with the same SQLSTATE, evictions for that SQLSTATE pause.
 */
export class FutileEvictions {
  readonly #incidents = new Map<string, Incident>()

  /** Whether the pool may evict a connection that was opened at `openedAt` for an SQLSTATE. */
  mayEvict(code: string, openedAt: number, now: number): boolean {
    const incident = this.#incidents.get(code)
    if (!incident || now - incident.lastFailureAt > 2 * MAX_PAUSE_MILLIS) {
      this.#start(code, now)
      return true
    }
    incident.lastFailureAt = now
    if (now < incident.pausedUntil) return false
    // The pause is over: evict once to find out whether replacing helps now.
    if (incident.pausedUntil > incident.since) {
      incident.since = now
      return true
    }
    if (openedAt <= incident.since || now - openedAt > FRESH_MILLIS) return true
    incident.pauseMillis = Math.min(MAX_PAUSE_MILLIS, Math.max(FIRST_PAUSE_MILLIS, incident.pauseMillis * 2))
    incident.pausedUntil = now + incident.pauseMillis
    return false
  }

  #start(code: string, now: number): void {
    this.#incidents.delete(code)
    this.#incidents.set(code, { since: now, pauseMillis: 0, pausedUntil: 0, lastFailureAt: now })
    const [oldest] = this.#incidents.keys()
    if (this.#incidents.size > MAX_CODES && oldest !== undefined) this.#incidents.delete(oldest)
  }
}
