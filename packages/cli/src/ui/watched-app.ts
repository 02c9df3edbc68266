import { PoolHistory, type PoolReading } from '@poolguard/web/adapter'
import { type EndpointOptions, shownError } from '../endpoint/ask-admin-endpoint.ts'
import { shownAddress } from '../endpoint/http-address.ts'
import { type AppPoolDetails, readAppPools } from '../endpoint/read-app-pools.ts'

/** What the page remembers of a pool. */
interface KnownPool {
  readonly id: number
  readonly history: PoolHistory
  /** Of the last answer that named it, in seconds since 1970. */
  seenAt: number
}

/** As long as the history of the page. */
const KEPT_SECONDS = 600

let lastId = 0

/** Polls the admin endpoint of an app. */
export class WatchedApp {
  readonly address: string
  readonly #endpoint: EndpointOptions
  readonly #known = new Map<string, KnownPool>()
  #pools: readonly PoolReading[] = []
  #problem: string | undefined

  constructor(endpoint: EndpointOptions) {
    this.address = shownAddress(endpoint.url)
    this.#endpoint = endpoint
  }

  /** The pools of the last answer; none while the app does not answer. */
  get pools(): readonly PoolReading[] {
    return this.#pools
  }

  /** Why the app did not answer the last time. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** Never rejects. */
  async sample(over: AbortSignal): Promise<void> {
    try {
      const answer = await readAppPools({ ...this.#endpoint, signal: over })
      this.#pools = this.#remember(answer)
      this.#problem = undefined
    } catch (error) {
      this.#pools = []
      this.#problem = shownError(error)
    }
  }

  #remember(answer: readonly AppPoolDetails[]): PoolReading[] {
    const seconds = Math.round(Date.now() / 1_000)
    const counts = new Map<string, number>()
    const pools = answer.map((pool) => {
      const key = JSON.stringify([pool.name, pool.target])
      const place = (counts.get(key) ?? 0) + 1
      counts.set(key, place)
      const { id, history } = this.#see(`${key} ${place}`, seconds)
      history.add(seconds, pool.stats)
      // An app offers the actions on its own page.
      return { ...pool, id, history, isControlled: false }
    })
    for (const [key, { seenAt }] of this.#known) if (seenAt < seconds - KEPT_SECONDS) this.#known.delete(key)
    return pools
  }

  #see(key: string, seconds: number): KnownPool {
    const known = this.#known.get(key) ?? { id: ++lastId, history: new PoolHistory(), seenAt: seconds }
    known.seenAt = seconds
    this.#known.set(key, known)
    return known
  }
}
