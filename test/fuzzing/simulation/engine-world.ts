import { SimulatedClock, seededRandom } from '../../../packages/core/src/fleet/testing/simulated-clock.ts'
import { type Lease, Pool } from '../../../packages/core/src/pool/index.ts'
import { classifyConnectFailure } from '../../../packages/core/src/postgres-errors/index.ts'
import type { Call, EngineEvent, EngineScenario } from './engine-events.ts'
import { type SimulatedConnection, SimulatedDatabase } from './simulated-database.ts'

/** A pool looks at the deadlines of its callers every 10 ms. */
const DEADLINE_SLACK_MILLIS = 15
/** Longer than the pause between attempts to connect, and long enough for all callers of a scenario to be served. */
const RECOVERY_MILLIS = 120_000

interface Caller {
  readonly call: Call
  readonly deadline: number
  state: 'waiting' | 'served' | 'rejected'
}

/** A pool over a simulated database, and its callers. `run` throws when an invariant does not hold. */
export class EngineWorld {
  readonly counts: { steps: number; served: number; rejected: number; lost: number } = {
    steps: 0,
    served: 0,
    rejected: 0,
    lost: 0,
  }
  readonly #scenario: EngineScenario
  readonly #clock = new SimulatedClock()
  readonly #database: SimulatedDatabase
  readonly #pool: Pool<SimulatedConnection>
  readonly #callers: Caller[] = []
  readonly #leases = new Set<Lease<SimulatedConnection>>()
  /** While a pool is overloaded, the order of service is not that of arrival. */
  #wasOverloaded = false
  #broken: Error | undefined

  constructor(scenario: EngineScenario) {
    const { settings, seed, hasLanes } = scenario
    const random = seededRandom(seed)
    this.#scenario = scenario
    this.#database = new SimulatedDatabase({
      ...{ clock: this.#clock, random, connectTimeoutMillis: settings.connectTimeoutMillis },
      onOpen: () => this.#checkSlots(),
    })
    this.#pool = new Pool<SimulatedConnection>({
      ...{ name: 'app', settings, random, clock: this.#clock, factory: this.#database },
      classify: classifyConnectFailure,
      ...(hasLanes && { lanes: { web: { reserve: 1, priority: 3 }, jobs: { max: '50%' } } }),
    })
    this.#pool.start()
  }

  async run(): Promise<void> {
    for (const [afterMillis, event] of this.#scenario.events) {
      await this.#advance(afterMillis)
      this.#do(event)
      // Rejections arrive with the next microtasks.
      await this.#advance(0)
      this.#check()
    }
    this.#database.network.heal()
    await this.#advance(RECOVERY_MILLIS)
    this.#expect(this.#waiting.length === 0, 'every caller is served after the faults')
    this.#throwBroken()
    await this.#drain()
  }

  #advance(millis: number): Promise<void> {
    return this.#clock.advance(millis, () => this.#check())
  }

  async #drain(): Promise<void> {
    let isDrained = false
    void this.#pool.drain().then(() => {
      isDrained = true
    })
    const { drainMillis, connectTimeoutMillis } = this.#scenario.settings
    await this.#advance(drainMillis + 2 * connectTimeoutMillis + 1_000)
    this.#expect(isDrained, 'a drain ends')
    this.#expect(this.#pool.stats().total === 0, 'a drained pool has no connection')
    this.#expect(this.#database.slots.size === 0, 'a drained pool has no connection on the server')
    this.#throwBroken()
  }

  get #waiting(): readonly Caller[] {
    return this.#callers.filter(({ state }) => state === 'waiting')
  }

  // --- Events --------------------------------------------------------------------------------------------------------

  #do(event: EngineEvent): void {
    const pool = this.#pool
    const alive = [...this.#database.connections]
    switch (event.type) {
      case 'call':
        this.#call(event)
        break
      case 'calls':
        for (let count = 0; count < event.count; count++) this.#call(event.call)
        break
      case 'kill':
      case 'cut': {
        const connection = alive[event.pick % Math.max(1, alive.length)]
        if (connection) this.counts.lost++
        if (connection && event.type === 'kill') this.#database.kill(connection)
        else if (connection?.state === 'alive') connection.state = 'cut'
        break
      }
      case 'restart':
        for (const connection of alive) this.#database.kill(connection)
        break
      case 'close idle':
        void pool.closeIdle()
        break
      case 'retire':
        pool.retire(({ id }) => id % 2 === 0)
        break
      case 'availability':
        this.#database.network.availability = event.availability
        break
      case 'latency':
        this.#database.network.tripMillis = event.tripMillis
        break
      case 'resize':
        pool.resize({ max: event.max })
    }
  }

  #call(call: Call): void {
    const { lane, timeoutMillis, abortAfterMillis } = call
    const caller: Caller = { call, deadline: this.#clock.now() + timeoutMillis, state: 'waiting' }
    this.#callers.push(caller)
    const controller = abortAfterMillis === undefined ? undefined : new AbortController()
    const options = { timeoutMillis, signal: controller?.signal, ...(this.#scenario.hasLanes && { lane }) }
    this.#pool.acquire(options).then(
      (lease) => this.#serve(caller, lease),
      () => this.#settle(caller, 'rejected'),
    )
    if (controller) this.#clock.after(abortAfterMillis ?? 0, () => controller.abort())
  }

  #settle(caller: Caller, state: 'served' | 'rejected'): void {
    this.#expect(caller.state === 'waiting', 'a caller is answered once')
    caller.state = state
    this.counts[state]++
  }

  #serve(caller: Caller, lease: Lease<SimulatedConnection>): void {
    const { resource } = lease
    this.#settle(caller, 'served')
    this.#checkOrder(caller)
    this.#expect(![...this.#leases].some((each) => each.resource === resource), 'a connection has one caller')
    const idleMillis = this.#clock.now() - resource.usedAt
    const isChecked = idleMillis <= this.#scenario.settings.validateAfterIdleMillis
    this.#expect(!resource.isReportedLost, 'no caller gets a connection that is known to be lost')
    this.#expect(isChecked, 'no caller gets a connection that was idle for long and was not validated')
    const isProven = resource.provenAt >= this.#database.lastLossAt
    this.#expect(isProven, 'after a loss, no caller gets a connection that was not validated')
    this.#leases.add(lease)
    this.#clock.after(caller.call.holdMillis, () => {
      this.#leases.delete(lease)
      lease[caller.call.end]()
    })
  }

  // --- Invariants ----------------------------------------------------------------------------------------------------

  /** The pool may catch what its callbacks throw, so a broken invariant is kept until the next step. */
  #expect(holds: boolean, what: string): void {
    if (holds) return
    this.#broken ??= new Error(`${what}; at ${this.#clock.now().toFixed(3)} ms, ${JSON.stringify(this.#pool.stats())}`)
  }

  #throwBroken(): void {
    if (this.#broken) throw this.#broken
  }

  /** Before a connection is opened. */
  #checkSlots(): void {
    this.#expect(this.#database.slots.size < this.#pool.settings.max, 'no connection is opened above max')
  }

  #checkOrder(served: Caller): void {
    this.#wasOverloaded ||= this.#pool.counts.overloaded
    if (this.#wasOverloaded) return
    const isSameLane = ({ call }: Caller) => !this.#scenario.hasLanes || call.lane === served.call.lane
    const first = this.#callers.find((caller) => caller.state === 'waiting' && isSameLane(caller))
    const isOvertaken = first && this.#callers.indexOf(first) < this.#callers.indexOf(served)
    this.#expect(!isOvertaken, 'callers of a lane are served in the order of their arrival')
  }

  #check(): void {
    this.counts.steps++
    const { total, idle, active, connecting, validating, closing, waiting, overloaded } = this.#pool.stats()
    this.#wasOverloaded ||= overloaded
    this.#expect(idle + active + connecting + validating + closing === total, 'each connection is in one state')
    this.#expect(Math.min(idle, active, connecting, validating, closing) >= 0, 'no count is negative')
    this.#expect(waiting === this.#waiting.length, 'no waiting caller is forgotten')
    const now = this.#clock.now()
    const isLate = this.#waiting.some(({ deadline }) => now > deadline + DEADLINE_SLACK_MILLIS)
    this.#expect(!isLate, 'no caller waits beyond its deadline')
    const mayServe = idle > 0 && validating === 0 && !this.#scenario.hasLanes
    this.#expect(!mayServe || waiting === 0, 'no caller waits while a connection is idle')
    this.#throwBroken()
  }
}
