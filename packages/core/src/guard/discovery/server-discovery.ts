import { systemClock } from '../../clock.ts'
import { type Pool, runDetached } from '../../pool/index.ts'
import { forgetTopology, rememberTopology, type Topology } from '../../topology/index.ts'
import type { GuardedDriver } from '../guarded-driver.ts'
import type { DiscoveryResult, Inspection, InspectionOptions } from './detection.ts'

/** Delay until discovery runs again after it returned an incomplete result. */
const RETRY_MILLIS = 5_000

/** Inspects the connections of a driver. */
export interface ConnectionInspector<C> {
  readonly driver: Pick<GuardedDriver<C>, 'isLost'>
  inspectWith(connection: C, options: InspectionOptions): Promise<Inspection>
  /** Takes two more connections. `first`: ahead of waiting callers. */
  detectPooler(options: { readonly first: boolean }): Promise<Topology | undefined>
}

export interface ServerDiscoveryOptions<C> {
  readonly engine: Pool<C>
  /** Where there is a connection, there is an inspector. */
  readonly inspector: () => ConnectionInspector<C>
  /** The topology that the user stated. */
  readonly given: Topology | undefined
  /** Whether there is another reason to run discovery again. */
  readonly shouldRepeat: () => boolean
  /** Whether callers need the result, so that discovery acquires connections ahead of them. */
  readonly urgent: boolean
  /** Whether it matters if the server is a Pgpool-II. */
  readonly identifiesPgpool: () => boolean
  /** Called for a pooler whose mode is still being detected, with the assumed topology. */
  readonly onAssumed: (assumed: Topology) => void
  readonly onDiscovered: (result: DiscoveryResult) => Promise<void>
}

/**
 * Discovers the server or pooler of a pool, and decides when to repeat that.
 *
 * Discovery opens no connection of its own. It inspects the first connection that the pool opens, before a caller gets it.
 * To repeat that, it inspects the next connection that is opened or released. Only a pooler that does not announce its mode
 * takes two more connections; callers do not wait for that.
 */
export class ServerDiscovery<C> {
  readonly #options: ServerDiscoveryOptions<C>
  #result: DiscoveryResult | undefined
  /** The inspection of one connection. */
  #inspecting: Promise<void> | undefined
  /** The steps after the inspection. */
  #completing: Promise<void> | undefined
  /** The acquire of a connection for {@link ready}. */
  #opening: Promise<void> | undefined
  #retryAt = 0
  /** The server was unreachable since the last discovery, and another one may have replaced it. */
  #outdated = false

  constructor(options: ServerDiscoveryOptions<C>) {
    this.#options = options
  }

  /** The result; undefined until discovery has finished once. */
  get result(): DiscoveryResult | undefined {
    return this.#result
  }

  /** Whether to inspect the next connection. Read on every release. */
  get isDue(): boolean {
    if (this.#result?.capacity && !this.#outdated && !this.#options.shouldRepeat()) return false
    if (this.#inspecting || this.#completing) return false
    return this.#opening !== undefined || systemClock.now() >= this.#retryAt
  }

  /**
   * Call for a connection that was opened or released, before a caller gets it. Runs discovery on it if that is due. Resolves
   * when a caller may get the connection, to false while an answer on it is outstanding.
   *
   * @throws the error if the connection was lost.
   */
  async onConnection(connection: C): Promise<boolean> {
    while (this.#inspecting) await this.#inspecting
    return this.isDue ? this.#inspect(connection) : true
  }

  /** Resolves when the running discovery has finished or failed. */
  async whenFinished(): Promise<void> {
    while (this.#inspecting || this.#completing) await (this.#inspecting ?? this.#completing)
  }

  /**
   * Waits until discovery has finished; `refresh` repeats it.
   *
   * @throws the same errors as {@link Pool.acquire}.
   */
  async ready(refresh: boolean): Promise<void> {
    if (this.#result && !refresh) return
    if (!this.#inspecting && !this.#completing) {
      this.#outdated ||= refresh
      this.#opening ??= this.#open().finally(() => {
        this.#opening = undefined
      })
      await this.#opening
    }
    await this.whenFinished()
  }

  /** Repeats discovery after a delay, because its result is incomplete. */
  retryLater(): void {
    this.#retryAt = systemClock.now() + RETRY_MILLIS
  }

  /** Marks the result as outdated, also for the other pools of this process. */
  invalidate(): void {
    this.#outdated = true
    this.forget()
  }

  forget(): void {
    if (this.#result?.peer !== undefined) forgetTopology(this.#result.peer)
  }

  /** Discovery runs on the connection while it is opened; a connection that was already open is inspected here. */
  async #open(): Promise<void> {
    const before = this.#result
    const lease = await runDetached(() => this.#options.engine.acquire({ internal: 'queued' }))
    await this.#inspecting
    const isDone = this.#result !== before || this.#completing !== undefined
    if (isDone || (await this.#inspect(lease.resource))) lease.release()
    else lease.destroy()
  }

  #inspect(connection: C): Promise<boolean> {
    // Detached, so that traces do not attribute discovery to the request that happened to start it.
    const inspecting = runDetached(() => this.#inspectNow(connection))
    const onFinished = () => {
      this.#inspecting = undefined
    }
    this.#inspecting = inspecting.then(onFinished, onFinished)
    return inspecting
  }

  async #inspectNow(connection: C): Promise<boolean> {
    const { engine, given } = this.#options
    const inspector = this.#options.inspector()
    const refresh = this.#outdated
    // Reset before the inspection: an invalidate() during it must not be lost.
    this.#outdated = false
    const inspection = await inspector.inspectWith(connection, {
      given,
      refresh,
      identifiesPgpool: this.#options.identifiesPgpool(),
      alone: engine.settings.max < 2,
    })
    if (inspector.driver.isLost(connection)) {
      this.#outdated ||= refresh
      throw inspection.error ?? new Error('the connection was lost while it was being opened')
    }
    this.#complete(inspection.conclusive ? this.#setResult(inspection) : this.#detect(inspection, inspector))
    return inspection.answered
  }

  #complete(completing: Promise<void>): void {
    const onFinished = () => {
      this.#completing = undefined
    }
    this.#completing = completing.then(onFinished, onFinished)
  }

  async #detect({ topology: assumed, ...inspection }: Inspection, inspector: ConnectionInspector<C>): Promise<void> {
    const { urgent, onAssumed } = this.#options
    onAssumed(assumed)
    // Ahead of the acquire in ready(), which would take the connection that occupies the pooler's server connection.
    const detected = await inspector.detectPooler({ first: urgent || this.#opening !== undefined })
    // A saturated pooler does not answer the detection, but it is still a pooler.
    const topology = detected?.kind === 'pooler' ? detected : assumed
    if (inspection.peer !== undefined) rememberTopology(inspection.peer, topology)
    if (detected?.kind !== 'pooler') {
      this.#outdated = true
      this.retryLater()
    }
    await this.#setResult({ ...inspection, topology })
  }

  async #setResult({ peer, topology, pgpool, capacity, capacityProblem }: DiscoveryResult): Promise<void> {
    this.#result = { peer, topology, pgpool, capacity, capacityProblem }
    if (!capacity) this.retryLater()
    await this.#options.onDiscovered(this.#result)
  }
}
