import { keepAlive } from '../clock.ts'
import { describeRewriteWarning } from '../drivers/index.ts'
import { debuglog } from '../node-util.ts'
import {
  LoadingInsight,
  type Metered,
  type PipeliningState,
  type PoolInsight,
  type PoolSnapshot,
} from '../observe/index.ts'
import {
  type AcquireOptions,
  type Lease,
  Pool,
  type PoolCallers,
  type PoolCounts,
  type PoolEvent,
  runDetached,
} from '../pool/index.ts'
import {
  assumedTopology,
  describeSettings,
  type FleetOptions,
  limitSettings,
  type OwnSettings,
  ownSettings,
  type ResolvedSettings,
} from '../settings/index.ts'
import { UNDETECTED } from '../statements/index.ts'
import { describeTopology, type Topology } from '../topology/index.ts'
import { CallerMistakes } from './caller-mistakes.ts'
import type { DiscoveryResult } from './discovery/detection.ts'
import { ServerDiscovery } from './discovery/server-discovery.ts'
import { PoolRegistration } from './driver-kit/pool-registration.ts'
import { FleetInstance } from './fleet/fleet-instance.ts'
import type { GuardSpec } from './guard-spec.ts'
import type { GuardedConnections, MakeDriver } from './guarded-connections.ts'
import { LoadingAdaptiveLimit } from './loading-adaptive-limit.ts'
import { LoadingFactory } from './loading-factory.ts'
import { rejectWithBudget } from './options/budget-of.ts'
import { type Bounds, PoolBounds } from './pool-bounds.ts'
import type { Route, Routing } from './replicas/routing.ts'
import { warnOfSecondPool } from './same-database.ts'
import { rejectMinWithWaitUntil, WaitUntil } from './wait-until.ts'

const debug = debuglog('poolguard')

/**
 * The core of a guarded pool: the engine, and the discovered server or pooler. The constructor opens no connection. The first
 * connection is inspected before a caller gets it, and the result determines the pool's bounds.
 */
export class PoolGuard<C extends object> {
  readonly engine: Pool<C>
  readonly mistakes: CallerMistakes<C>
  /** Records where the time of connections goes; undefined with the option `insight: false`. */
  readonly recorder: LoadingInsight<C> | undefined
  /** Set if the pool has replicas, or is one. */
  routing: Routing<C> | undefined
  /** Called when the pool begins to close, for a driver that holds a connection for as long as the pool is open. */
  onClosing: (() => void) | undefined
  readonly #spec: GuardSpec
  readonly #loadDriver: () => Promise<MakeDriver<C>>
  #loading: Promise<GuardedConnections<C>> | undefined
  #connections: GuardedConnections<C> | undefined
  /** The topology that the user stated. */
  readonly #given: Topology | undefined
  readonly #registration: PoolRegistration
  readonly #bounds: PoolBounds
  readonly #discovery: ServerDiscovery<C>
  readonly #fleet: FleetInstance<C> | undefined
  readonly #adaptiveLimit: LoadingAdaptiveLimit<C> | undefined
  readonly #waitUntil: WaitUntil | undefined

  /**
   * @param loadDriver is called once, when the pool opens its first connection.
   * @throws {InvalidOptionError} names the option and the value.
   */
  constructor(spec: GuardSpec, loadDriver: () => Promise<MakeDriver<C>>) {
    this.#spec = spec
    this.#loadDriver = loadDriver
    this.#registration = new PoolRegistration(this, {
      name: spec.name,
      emit: (event) => this.engine.emit(event),
      hasListener: Boolean(spec.options.onEvent),
    })
    const own = ownSettings(spec.options, { pipelineUnsupported: spec.againstPipelining })
    rejectMinWithWaitUntil(spec.options, own.values)
    rejectWithBudget(spec.options, own.values)
    this.#given = assumedTopology(spec.options)
    this.recorder =
      spec.options.insight === false ? undefined : new LoadingInsight(own.values.captureStacks !== 'never')
    this.engine = this.#createEngine(own)
    const { engine, recorder } = this
    const warn = (message: string) => this.warn(message)
    this.mistakes = new CallerMistakes(engine, spec.options, warn)
    this.#bounds = new PoolBounds(own, engine, warn)
    this.#fleet = spec.options.fleet && this.#createFleetInstance(spec.options.fleet)
    this.#discovery = this.#createDiscovery()
    if (own.values.limit === 'adaptive')
      this.#adaptiveLimit = new LoadingAdaptiveLimit({ engine, recorder, fleet: this.#fleet, warn })
    const { waitUntil } = spec.options
    this.#waitUntil = waitUntil && new WaitUntil({ waitUntil, pool: engine, warn })
    engine.start()
    // A pool with a min opens connections before its first use.
    if (own.values.min > 0) this.#register()
  }

  #createEngine(own: OwnSettings): Pool<C> {
    const { name, options } = this.#spec
    return new Pool({
      name,
      settings: limitSettings(own).values,
      lanes: options.lanes,
      budget: options.budget,
      warn: (message) => this.warn(message),
      factory: new LoadingFactory(() => this.#load()),
      observer: this.recorder,
      // Without the code for connections, no server has been asked yet.
      classify: (error) => this.#connections?.failures.classify(error) ?? 'unavailable',
      advise: (error) => this.#connections?.failures.advise(error),
      onEvent: (event) => this.#onPoolEvent(event),
      onWait: own.values.limit === 'adaptive' ? () => this.#adaptiveLimit?.onWait() : undefined,
      onClosing: (connection, reason) => {
        this.#connections?.onClosing(connection, reason)
        this.#fleet?.onClosing(connection)
      },
      isPinned: (connection) => this.#fleet?.isPublisher(connection) ?? false,
    })
  }

  #createFleetInstance(fleet: FleetOptions): FleetInstance<C> {
    return new FleetInstance({
      fleet,
      headroom: this.#spec.options.headroom,
      engine: this.engine,
      demand: () => this.engine.demand + (this.#connections?.pipelining.behind ?? 0),
      bounds: this.#bounds,
      onUnavailable: () => this.#discovery.retryLater(),
      warn: (message) => this.warn(message),
    })
  }

  #createDiscovery(): ServerDiscovery<C> {
    return new ServerDiscovery({
      engine: this.engine,
      inspector: () => this.#requireConnections(),
      given: this.#given,
      shouldRepeat: () => this.#fleet?.mayRejoin === true,
      urgent: this.#fleet !== undefined,
      identifiesPgpool: () => this.#bounds.wantsPipelining,
      onAssumed: (assumed) => this.#connections?.sessions.setTopology(assumed),
      onDiscovered: (result) => this.#applyDiscovery(result),
    })
  }

  // --- Acquiring -----------------------------------------------------------------------------------------------------

  /**
   * Acquires a connection, of a replica if the statements may run there. Throws the same errors as {@link Pool.acquire}.
   *
   * @param route what is known about the statements. Default: they may write.
   */
  acquire(options?: AcquireOptions, route?: Route): Promise<Lease<C>> {
    return this.routing ? this.routing.acquire(options, route) : this.acquireOwn(options)
  }

  /** Acquires a connection of this pool. */
  acquireOwn(options?: AcquireOptions): Promise<Lease<C>> {
    if (!this.#registration.isEntered) this.#register()
    if (this.#fleet) this.#notifyFleet(this.#fleet)
    this.#connections?.watch()
    const lease = this.engine.acquire(options)
    this.#waitUntil?.onAcquire(lease)
    return lease
  }

  /** For a statement that is sent behind others instead of acquiring a connection. */
  #onBehind(): void {
    this.#fleet?.onAcquire()
    this.#waitUntil?.onAcquire(Promise.resolve())
  }

  /** Queues the fleet's request after discovery but ahead of the caller: with max 1 the caller could hold the only connection. */
  #notifyFleet(fleet: FleetInstance<C>): void {
    if (this.#discovery.isDue && this.engine.openOrOpening === 0) fleet.reserveConnection()
    fleet.onAcquire()
  }

  // --- Connections ---------------------------------------------------------------------------------------------------

  /** The half of the pool that works on connections; undefined until the pool opens its first connection. */
  get connections(): GuardedConnections<C> | undefined {
    return this.#connections
  }

  /** Detached, so that no caller's trace or deadline applies to the connections. After a failure, the next connection tries again. */
  #load(): Promise<GuardedConnections<C>> {
    this.#loading ??= runDetached(() => this.#loadNow()).catch((error) => {
      this.#loading = undefined
      throw error
    })
    return this.#loading
  }

  async #loadNow(): Promise<GuardedConnections<C>> {
    const [{ GuardedConnections }, makeDriver] = await Promise.all([
      import('./guarded-connections.ts'),
      this.#loadDriver(),
    ])
    const { engine, settings } = this
    const connections = new GuardedConnections<C>(
      {
        ...{
          spec: this.#spec,
          engine,
          settings,
          insight: this.recorder,
          given: this.#given,
          discovery: this.#discovery,
        },
        acquire: (options) => this.acquire(options),
        onBehind: () => this.#onBehind(),
        warn: (message) => this.warn(message),
      },
      makeDriver,
    )
    connections.watch()
    this.#connections = connections
    return connections
  }

  #requireConnections(): GuardedConnections<C> {
    if (!this.#connections) throw new Error('there is a connection, but not the code that opened it')
    return this.#connections
  }

  async #applyDiscovery(result: DiscoveryResult): Promise<void> {
    const connections = this.#requireConnections()
    const { driver, sessions, statements, pipelining } = connections
    sessions.setTopology(result.topology)
    statements.setTopology(result.topology)
    this.#bounds.applyDiscovery(result, connections.plan(result))
    if (this.#bounds.needsPoolerName && (await connections.isPgBouncer())) this.#bounds.applyPgBouncer()
    pipelining.update(this.settings)
    if (result.topology.kind === 'unknown') this.#fleet?.leave()
    else await this.#fleet?.join(result.topology, driver)
    debug('pool "%s": %s\n%s', this.#spec.name, describeTopology(result.topology), describeSettings(this.settings))
    const { active, reason } = statements.state
    debug('pool "%s": prepares statements automatically: %s (%s)', this.#spec.name, active ? 'yes' : 'no', reason)
  }

  // --- Changing ------------------------------------------------------------------------------------------------------

  /** Closes idle connections, after a running discovery has finished. See {@link Pool.closeIdle}. */
  async closeIdle(): Promise<void> {
    await this.#discovery.whenFinished()
    await this.engine.closeIdle()
  }

  /** Waits until discovery has finished; `refresh` repeats it. */
  async ready({ refresh = false }: { readonly refresh?: boolean } = {}): Promise<PoolSnapshot> {
    if (!this.#registration.isEntered) this.#register()
    await keepAlive(this.#discovery.ready(refresh))
    return this.snapshot()
  }

  /** Changes the bounds. Later discoveries do not change them. */
  resize(bounds: Bounds): void {
    this.#bounds.resize(bounds)
    this.#fleet?.onResize()
  }

  /** @param drainMillis how long to wait for active leases; default: the setting. */
  async close(drainMillis?: number): Promise<void> {
    this.onClosing?.()
    this.#fleet?.leave()
    await this.engine.drain(drainMillis)
    this.#connections?.stop()
    this.routing?.stop()
    // A pool that is opened later may find another server at the same address.
    this.#discovery.forget()
    this.#registration.leave()
  }

  // --- Reading -------------------------------------------------------------------------------------------------------

  snapshot(): PoolSnapshot {
    return {
      name: this.#spec.name,
      target: this.#spec.target,
      stats: this.engine.stats(),
      dirtyReleases: this.mistakes.dirtyReleases,
      sessionStateFindings: this.#connections?.sessions.findings ?? 0,
      topology: this.topology ?? null,
      preparing: this.#connections?.statements.state ?? UNDETECTED,
      pipelining: this.#connections ? this.#connections.pipelining.state : unusedPipelining(this.settings),
      adaptiveLimit: this.#adaptiveLimit?.state,
      budget: this.settings.budget,
      fleet: this.#fleet?.snapshot() ?? null,
      insight: this.recorder?.summary(),
      ...(this.routing && { routing: this.routing.snapshot(), isReplica: this.routing.isOfReplica }),
    }
  }

  get name(): string {
    return this.#spec.name
  }

  get target(): string {
    return this.#spec.target
  }

  /** See {@link GuardedDriver.queryValue}. */
  queryValue(connection: C, text: string): Promise<string | null | undefined> {
    return this.#requireConnections().driver.queryValue(connection, text)
  }

  /** Where the time of the pool's connections went; undefined with the option `insight: false`. */
  insight(): PoolInsight | undefined {
    return this.recorder?.read()
  }

  /** At most `limit` connections in use and callers that wait, the oldest first. */
  callers(limit: number): PoolCallers {
    return this.engine.callers(limit, (connection) => ({
      inTransaction: this.#requireConnections().driver.isInTransaction(connection),
      lastStatement: (connection as Metered).meter?.lastStatement ?? null,
    }))
  }

  get counts(): PoolCounts {
    return this.engine.counts
  }

  /** The `application_name` for new connections; undefined if the user determines it. */
  get applicationName(): string | undefined {
    return this.#fleet?.nameFor(this.topology ?? this.#given)
  }

  /** The settings in effect, and the reasons. */
  get settings(): ResolvedSettings {
    return this.#bounds.settings
  }

  /** The discovered topology; undefined until discovery has finished. */
  get topology(): Topology | undefined {
    return this.#discovery.result?.topology
  }

  // --- Events --------------------------------------------------------------------------------------------------------

  warn(message: string): void {
    this.#registration.warn(message)
  }

  /** Registers the pool in the process, and emits the warnings about its URL. */
  #register(): void {
    const second = this.#spec.options.name === undefined && warnOfSecondPool(this.snapshot())
    if (second) this.warn(second)
    this.#registration.enter()
    for (const warning of this.#spec.warnings ?? []) this.warn(describeRewriteWarning(warning))
  }

  #onPoolEvent(event: PoolEvent): void {
    this.#connections?.onPoolEvent(event)
    if (event.type === 'connect-failed') {
      if (event.failure === 'unavailable') this.#discovery.invalidate()
      this.routing?.onConnectFailed(event.error)
    }
    this.#fleet?.onPoolEvent(event)
    this.#waitUntil?.onPoolEvent(event)
    this.#spec.options.onEvent?.(event)
  }
}

/** The state of pipelining before the first connection. */
function unusedPipelining({ values, reasons }: ResolvedSettings): PipeliningState {
  const unused = { sentBehind: 0, inFlight: 0, maxDepth: 0, stalls: 0 }
  return { mode: values.pipeline, active: false, reason: reasons.pipeline, ...unused }
}
