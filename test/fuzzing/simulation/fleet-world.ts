import { SimulatedFleet } from '../../../packages/core/src/fleet/testing/simulated-fleet.ts'
import type { SimulatedInstance } from '../../../packages/core/src/fleet/testing/simulated-instance.ts'
import type { ServerSession } from '../../../packages/core/src/fleet/testing/simulated-server.ts'
import type { FleetEvent, FleetScenario } from './fleet-events.ts'

/** Connections that ordinary roles can use. */
const USABLE = 60
/** With more instances than the budget, not every instance can have a connection. */
const MAX_INSTANCES = 20
/** An instance that was rejected by a full server needs some time more than the two intervals of the others. */
const INTERVALS_TO_CONVERGE = 3

/** A fleet of real controllers on a simulated server. `run` throws when an invariant does not hold. */
export class FleetWorld {
  readonly counts: { steps: number; exchanges: number; most: number } = { steps: 0, exchanges: 0, most: 0 }
  readonly #scenario: FleetScenario
  readonly #fleet: SimulatedFleet
  /** Suspended instances. */
  readonly #frozen = new Set<SimulatedInstance>()
  /** Connections of clients that name themselves like instances. */
  readonly #hostile = new Map<number, ServerSession>()

  constructor(scenario: FleetScenario) {
    this.#scenario = scenario
    this.#fleet = new SimulatedFleet({ usable: USABLE, seed: scenario.seed })
  }

  async run(): Promise<void> {
    const fleet = this.#fleet
    for (const [afterIntervals, event] of this.#scenario.events) {
      await this.#advance(afterIntervals)
      this.#do(event)
    }
    this.#thaw()
    for (const session of this.#hostile.values()) fleet.server.end(session)
    await this.#advance(INTERVALS_TO_CONVERGE)
    const due = fleet.dueShares
    for (const [index, { name, max, want }] of fleet.instances.entries()) {
      const share = due[index] as number
      if (want > 0 && max < share) throw new Error(`${name} has ${max} connections instead of its share of ${share}`)
    }
    this.counts.exchanges = fleet.instances.reduce((sum, { exchanges }) => sum + exchanges, 0)
  }

  async #advance(intervals: number): Promise<void> {
    let broken: Error | undefined
    await this.#fleet.intervals(intervals, () => {
      broken ??= this.#findBroken()
    })
    if (broken) throw broken
  }

  #findBroken(): Error | undefined {
    this.counts.steps++
    const { claims, budget, server, clock } = this.#fleet
    const { size } = server.sessions
    this.counts.most = Math.max(this.counts.most, size)
    const at = `at ${(clock.now() / 1_000).toFixed(3)} s`
    if (claims > budget) return new Error(`the instances may open ${claims} of ${budget} connections, ${at}`)
    return size > USABLE ? new Error(`${size} connections are open on a server with ${USABLE}, ${at}`) : undefined
  }

  #do(event: FleetEvent): void {
    const { instances, server } = this.#fleet
    const picked = 'pick' in event ? instances[event.pick % Math.max(1, instances.length)] : undefined
    switch (event.type) {
      case 'join':
        if (instances.length < MAX_INSTANCES) this.#fleet.join(event)
        break
      case 'load':
        // A frozen process gets no callers.
        if (picked && !this.#frozen.has(picked)) picked.load(event.want)
        break
      case 'crash':
        if (picked) this.#fleet.crash(picked)
        break
      case 'freeze':
        if (picked) this.#frozen.add(picked)
        picked?.freeze()
        break
      case 'lose publisher':
        picked?.losePublisher()
        break
      case 'thaw':
        this.#thaw()
        break
      case 'claim':
        this.#claim(event.id, event.name)
        break
      case 'restart':
        for (const session of [...server.sessions]) server.end(session)
    }
  }

  #claim(id: number, name: string): void {
    const { server } = this.#fleet
    const known = this.#hostile.get(id)
    const session = known && server.sessions.has(known) ? known : server.connect(name)
    if (!session) return
    session.name = name
    this.#hostile.set(id, session)
  }

  #thaw(): void {
    for (const instance of this.#frozen) instance.thaw()
    this.#frozen.clear()
  }
}
