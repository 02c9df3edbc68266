import type { CloseReason, OpenContext, Pool } from '../../pool/index.ts'
import type { GuardedDriver } from '../guarded-driver.ts'
import type { HostPlan } from './host-plan.ts'
import type { HostWatch } from './host-watch.ts'
import type { Hosts } from './hosts.ts'

export interface ServerChoiceOptions<C extends object> {
  /** Undefined if the pool has no choice. */
  readonly plan: HostPlan | undefined
  readonly driver: GuardedDriver<C>
  readonly engine: () => Pool<C>
  /** Whether a pooler is in between. */
  readonly isPooled: () => boolean
  readonly onFailover: (message: string) => void
}

/** The servers of a pool. Code that chooses among several is loaded with the first connection, if the pool has a choice. */
export class ServerChoice<C extends object> {
  readonly #options: ServerChoiceOptions<C>
  #hosts: Hosts<C> | undefined
  /** Set if the pool follows the primary. */
  #watch: HostWatch<C> | undefined

  constructor(options: ServerChoiceOptions<C>) {
    this.#options = options
  }

  /** Opens a connection at one of the servers. */
  async open(context: OpenContext): Promise<C> {
    const { plan, driver } = this.#options
    if (!plan) return await driver.factory.open(context)
    return await (this.#hosts ?? (await this.#load(plan))).open(context)
  }

  async #load(plan: HostPlan): Promise<Hosts<C>> {
    const [{ Hosts }, { HostWatch }] = await Promise.all([import('./hosts.ts'), import('./host-watch.ts')])
    // Connections that open at the same time share it.
    if (this.#hosts) return this.#hosts
    const { driver, isPooled, onFailover } = this.#options
    const engine = this.#options.engine()
    const hosts = new Hosts({
      ...{ plan, driver, isPooled, onFailover },
      connectTimeoutMillis: () => engine.settings.connectTimeoutMillis,
      retire: (matches) => engine.retire(matches),
    })
    if (hosts.followsPrimary && plan.ownsSockets) this.#watch = new HostWatch({ hosts, engine, driver })
    this.#hosts = hosts
    return hosts
  }

  /** Call it whenever a caller asks for a connection. */
  watch(): void {
    this.#watch?.watch()
  }

  stop(): void {
    this.#watch?.stop()
  }

  /** See {@link Hosts.rejectUnsuitable}. */
  rejectUnsuitable(connection: C): void {
    this.#hosts?.rejectUnsuitable(connection)
  }

  /** False if the server of a connection is no longer one that the pool uses. */
  isFit(connection: C): boolean {
    return this.#hosts?.isFit(connection) ?? true
  }

  async validate(connection: C): Promise<boolean> {
    const validate = async () => (await this.#options.driver.factory.validate?.(connection)) ?? true
    return (await (this.#watch ? this.#watch.validate(connection, validate) : validate())) && this.isFit(connection)
  }

  async close(connection: C): Promise<void> {
    const { driver } = this.#options
    // A server that was cut off does not take part in closing.
    if (this.#hosts?.isCutOff(connection)) driver.breakOff(connection, new Error('the server was replaced'))
    try {
      await driver.factory.close(connection)
    } finally {
      this.#hosts?.onClosed(connection)
    }
  }

  onClosing(connection: C, reason: CloseReason): void {
    this.#hosts?.onClosing(connection, reason)
  }
}
