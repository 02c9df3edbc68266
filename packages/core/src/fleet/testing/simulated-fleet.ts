import { defaultHeadroom } from '../../budget/index.ts'
import { parseMemberName } from '../member-name.ts'
import { shareOut } from '../share-out.ts'
import { SimulatedClock, seededRandom } from './simulated-clock.ts'
import { SimulatedInstance, type SimulatedInstanceOptions } from './simulated-instance.ts'
import { SimulatedServer } from './simulated-server.ts'

export interface SimulatedFleetOptions {
  /** Connections that ordinary roles can use. */
  readonly usable: number
  readonly seed: number
  readonly headroom?: number
}

type Joining = Partial<
  Pick<
    SimulatedInstanceOptions,
    'min' | 'max' | 'role' | 'database' | 'trustedRoles' | 'tripMillis' | 'pooled' | 'part'
  >
> & {
  readonly want?: number
  readonly app?: string
}

/** A fleet on a simulated server. */
export class SimulatedFleet {
  static readonly intervalMillis = 5_000
  readonly clock: SimulatedClock = new SimulatedClock()
  readonly server: SimulatedServer
  readonly instances: SimulatedInstance[] = []
  readonly random: () => number
  readonly headroom: number
  readonly #given: number | undefined
  #made = 0

  constructor({ usable, seed, headroom }: SimulatedFleetOptions) {
    this.server = new SimulatedServer(this.clock, usable)
    this.random = seededRandom(seed)
    this.headroom = headroom ?? defaultHeadroom(usable)
    this.#given = headroom
  }

  join({ want = 0, app = 'app', ...options }: Joining = {}): SimulatedInstance {
    const id = (this.#made++).toString(36).padStart(6, '0')
    const { server, random } = this
    const headroom = this.#given
    const instance = new SimulatedInstance({ member: `${app}#${id}`, server, random, headroom, ...options })
    this.instances.push(instance)
    void instance.controller.join()
    instance.load(want)
    return instance
  }

  crash(instance: SimulatedInstance): void {
    this.instances.splice(this.instances.indexOf(instance), 1)
    instance.crash()
  }

  /** Connections that belong to no fleet. */
  get others(): number {
    return [...this.server.sessions].filter(({ name }) => !parseMemberName(name)).length
  }

  get budget(): number {
    return this.server.maxConnections - this.headroom - this.others
  }

  async intervals(count: number, check?: () => void): Promise<void> {
    await this.clock.advance(count * SimulatedFleet.intervalMillis, check)
  }

  /** Sum of the instances' claims, except those that only have their first connection. */
  get claims(): number {
    return this.instances.reduce((total, { claim }) => total + (claim > 1 ? claim : 0), 0)
  }

  /** The share that each instance should have, calculated from the actual demands. */
  get dueShares(): number[] {
    const wanted = this.instances.map((instance) => {
      const { min, max } = instance.bounds()
      return { name: instance.name, floor: Math.max(1, min), demand: Math.min(instance.want, max) }
    })
    return dueShares(this.budget, wanted)
  }
}

/** Divides the budget as the instances do. @returns the shares in the order of `wanted`. */
export function dueShares(
  budget: number,
  wanted: readonly { readonly name: string; readonly floor: number; readonly demand: number }[],
): number[] {
  const sorted = wanted.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const shares = shareOut(budget, sorted)
  return wanted.map((each) => shares[sorted.indexOf(each)] as number)
}
