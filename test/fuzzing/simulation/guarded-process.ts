import type { SimulatedClock } from '../../../packages/core/src/fleet/testing/simulated-clock.ts'
import type { SimulatedServer } from '../../../packages/core/src/fleet/testing/simulated-server.ts'
import { PoolGuard } from '../../../packages/core/src/guard/index.ts'
import type { HostileAnswers } from './hostile-answers.ts'
import type { SimulatedClient } from './simulated-client.ts'
import { SimulatedDriver } from './simulated-driver.ts'
import type { SimulatedNetwork } from './simulated-network.ts'

/** A pool looks at the deadlines of its callers every 10 ms. */
const DEADLINE_SLACK_MILLIS = 15
/** The most that discovery alone gives a pool. */
const MAX_DISCOVERED = 100

interface GuardedProcessOptions {
  readonly clock: SimulatedClock
  readonly server: SimulatedServer
  readonly network: SimulatedNetwork
  readonly hostile: HostileAnswers
  readonly min: number
  readonly max: number | undefined
  readonly counts: { served: number; rejected: number; failed: number }
}

interface Calls {
  readonly holdMillis: number
  readonly timeoutMillis: number
}

/** A process with one guarded pool, a member of the fleet `orders`. */
export class GuardedProcess {
  readonly name: string
  readonly min: number
  readonly max: number | undefined
  isEnded = false
  readonly #options: GuardedProcessOptions
  readonly #guard: PoolGuard<SimulatedClient>
  readonly #deadlines = new Set<{ readonly at: number }>()
  #driver: SimulatedDriver | undefined

  constructor(name: string, options: GuardedProcessOptions) {
    const { min, max, server, network, hostile } = options
    this.name = name
    this.min = min
    this.max = max
    this.#options = options
    const pool = { min, ...(max !== undefined && { max }), drainMillis: 500, connectTimeoutMillis: 2_000 }
    this.#guard = new PoolGuard<SimulatedClient>(
      {
        ...{ name, target: 'simulated' },
        options: { name, pool, fleet: { app: 'orders' }, insight: false, onEvent: () => {} },
      },
      async () => (connections) => {
        const applicationName = () => this.#guard.applicationName
        this.#driver = new SimulatedDriver({ server, network, hostile, applicationName, connections })
        return this.#driver
      },
    )
  }

  /** The name in the fleet; empty before it has joined. */
  get member(): string {
    return this.#guard.snapshot().fleet?.instance ?? ''
  }

  get clients(): readonly SimulatedClient[] {
    return [...(this.#driver?.clients ?? [])]
  }

  get mayHave(): number {
    return this.#guard.counts.max
  }

  /** Whatever a server says. */
  get ceiling(): number {
    return this.max ?? MAX_DISCOVERED
  }

  /**
   * The connections that it may have, or has, as a member of the fleet. While callers have all of them, it opens one more, out of the headroom,
   * to ask for more. Connections that are gone, which it does not know, keep it from opening others. Before it has joined, it has one, or its
   * static limit if the server did not answer in time.
   */
  get claim(): number {
    const unnoticed = this.#driver?.unnoticed.size ?? 0
    return this.member === '' ? 0 : Math.max(this.mayHave - unnoticed, this.clients.length - 1)
  }

  get waiting(): number {
    return this.#deadlines.size
  }

  get unanswered(): number {
    return this.#driver?.unanswered ?? 0
  }

  get mistake(): string | undefined {
    return this.#driver?.mistake
  }

  get isLate(): boolean {
    const now = this.#options.clock.now()
    return [...this.#deadlines].some(({ at }) => now > at + DEADLINE_SLACK_MILLIS)
  }

  call(count: number, calls: Calls): void {
    for (let i = 0; i < count; i++) void this.#call(calls)
  }

  /** Has so many callers for some time, each with short leases. */
  keepBusy(callers: number, millis: number): void {
    const { clock } = this.#options
    const until = clock.now() + millis
    const again = async () => {
      while (clock.now() < until) await this.#call({ holdMillis: 300, timeoutMillis: millis })
    }
    for (let i = 0; i < callers; i++) void again()
  }

  async #call({ holdMillis, timeoutMillis }: Calls): Promise<void> {
    const { clock, counts } = this.#options
    const deadline = { at: clock.now() + timeoutMillis }
    this.#deadlines.add(deadline)
    try {
      const lease = await this.#guard.acquire({ timeoutMillis }).finally(() => this.#deadlines.delete(deadline))
      counts.served++
      await this.#driver?.run(lease.resource, holdMillis).catch(() => counts.failed++)
      lease.release()
    } catch {
      counts.rejected++
    }
  }

  closeIdle(): void {
    void this.#guard.closeIdle()
  }

  refresh(): void {
    this.#guard.ready({ refresh: true }).catch(() => {})
  }

  end(): this {
    void this.#guard.close().then(() => {
      this.isEnded = true
    })
    return this
  }
}
