import { InsightRecorder, type LoadingInsight } from '../observe/index.ts'
import type { Stall } from '../pipelining/index.ts'
import type {
  AcquireOptions,
  CloseReason,
  Lease,
  LeaseActivity,
  OpenContext,
  Pool,
  PoolEvent,
  ResourceFactory,
  RunningQuery,
} from '../pool/index.ts'
import { classifyConnectFailure } from '../postgres-errors/index.ts'
import { guessProvider } from '../provider/index.ts'
import { type PlannedBudget, planInstances, type ResolvedSettings } from '../settings/index.ts'
import { AutomaticStatements, SessionStateCheck } from '../statements/index.ts'
import { assumeTopology, type Topology } from '../topology/index.ts'
import { ConnectFailures } from './connect-failures.ts'
import {
  type DiscoveryResult,
  detectPooler,
  type Inspection,
  type InspectionOptions,
  inspectConnection,
} from './discovery/detection.ts'
import { isPgBouncer } from './discovery/identify-pgbouncer.ts'
import type { ConnectionInspector, ServerDiscovery } from './discovery/server-discovery.ts'
import type { GuardSpec } from './guard-spec.ts'
import type { GuardedDriver } from './guarded-driver.ts'
import { ServerChoice } from './hosts/server-choice.ts'
import { LostStatements } from './lost-statements/lost-statements.ts'
import { describeStall, Pipelining, stallEvent } from './pipelining.ts'

export interface GuardedConnectionsOptions<C extends object> {
  readonly spec: GuardSpec
  readonly engine: Pool<C>
  readonly discovery: ServerDiscovery<C>
  readonly settings: ResolvedSettings
  /** Undefined with the option `insight: false`. */
  readonly insight: LoadingInsight<C> | undefined
  /** The topology that the user stated. */
  readonly given: Topology | undefined
  readonly acquire: (options: AcquireOptions) => Promise<Lease<C>>
  /** Called in the caller's own context before a statement is sent behind others that has not acquired a connection. */
  readonly onBehind: () => void
  readonly warn: (message: string) => void
}

/** Creates a driver for the connections of a pool. */
export type MakeDriver<C extends object> = (connections: GuardedConnections<C>) => GuardedDriver<C>

/**
 * The half of a guarded pool that works on open connections: the driver, the discovery of the server, the checks of statements, and
 * pipelining. A {@link PoolGuard} loads it, and the driver's code, while it opens its first connection, because half of the code is here, and
 * a process that only imports a pool needs none of it.
 */
export class GuardedConnections<C extends object> implements ResourceFactory<C>, ConnectionInspector<C> {
  readonly sessions: SessionStateCheck
  /** Records where the time of connections goes; undefined with the option `insight: false`. */
  readonly recorder: InsightRecorder<C> | undefined
  readonly failures: ConnectFailures
  /** Decides which statements drivers prepare automatically. */
  readonly statements: AutomaticStatements
  /** Decides which statements share connections, for drivers that support it. */
  readonly pipelining: Pipelining<C>
  /** Finds statements whose answers the network has lost. */
  readonly lostStatements: LostStatements<C>
  /** The pool's servers. */
  readonly servers: ServerChoice<C>
  readonly driver: GuardedDriver<C>
  readonly setIdle: ((connection: C, idle: boolean) => void) | undefined
  readonly #options: GuardedConnectionsOptions<C>
  #hasWarnedOfStall = false

  constructor(options: GuardedConnectionsOptions<C>, makeDriver: MakeDriver<C>) {
    const { spec, engine, discovery, given, insight } = options
    this.#options = options
    this.recorder =
      insight &&
      new InsightRecorder({
        capturesStacks: options.settings.values.captureStacks !== 'never',
        stats: () => engine.stats(),
      })
    const isPooled = () => discovery.result?.topology.kind === 'pooler'
    this.sessions = new SessionStateCheck(spec.options.sessionState ?? 'warn', options.warn)
    const assumed = given ?? (spec.connection && assumeTopology(spec.connection))
    if (assumed) this.sessions.setTopology(assumed)
    this.statements = new AutomaticStatements(spec.options, {
      against: spec.againstPreparing ?? reasonOfProvider(spec),
      onUnexpectedLoss: (reason) => {
        options.warn(reason)
        discovery.invalidate()
      },
    })
    this.pipelining = new Pipelining({
      ...{ engine, acquire: options.acquire, settings: options.settings, onBehind: options.onBehind },
      onStall: (stall) => this.#onStall(stall),
    })
    this.driver = makeDriver(this)
    this.failures = new ConnectFailures({
      ...{ target: spec.target, options: spec.options },
      classify: this.driver.classify ?? classifyConnectFailure,
    })
    this.setIdle = this.driver.factory.setIdle
    this.servers = new ServerChoice({
      ...{ plan: spec.hosts, driver: this.driver, engine: () => engine, isPooled },
      onFailover: (message) => {
        options.warn(message)
        // The new server may have other limits.
        discovery.invalidate()
      },
    })
    this.lostStatements = new LostStatements({
      ...{ engine, driver: this.driver },
      isDirect: () => discovery.result?.topology.kind === 'direct',
    })
    if (this.recorder) insight?.load(this.recorder)
  }

  onPoolEvent(event: PoolEvent): void {
    if (event.type === 'opened') this.failures.onOpened()
    else if (event.type === 'closed') this.failures.onClosed(event.error)
  }

  /** The budget that follows from what was discovered, for a pool with `instances`. */
  plan({ capacity }: DiscoveryResult): PlannedBudget | undefined {
    return planInstances(this.#options.spec.options, capacity)
  }

  /** See {@link isPgBouncer}. */
  isPgBouncer(): Promise<boolean> {
    return isPgBouncer(this.driver)
  }

  /** Call it whenever a caller acquires a connection. */
  watch(): void {
    this.lostStatements.watch()
    this.servers.watch()
  }

  stop(): void {
    this.lostStatements.stop()
    this.servers.stop()
  }

  /**
   * Drivers call this for a new connection after the login, before they send anything else on it. Resolves when a caller may get
   * the connection, to false while an answer on it is outstanding.
   *
   * @throws the error if the connection was lost.
   */
  async inspect(connection: C): Promise<boolean> {
    this.servers.rejectUnsuitable(connection)
    const answered = await this.#options.discovery.onConnection(connection)
    if (answered) await this.lostStatements.onOpened(connection)
    return answered
  }

  /** Drivers call this when the server has reported a parameter, also before and during a login. */
  onReported(connection: C): void {
    this.servers.isFit(connection)
  }

  inspectWith(connection: C, options: InspectionOptions): Promise<Inspection> {
    return inspectConnection(this.driver, connection, options)
  }

  detectPooler(options: { readonly first: boolean }): Promise<Topology | undefined> {
    return detectPooler(this.#options.engine, this.driver, options)
  }

  async open(context: OpenContext): Promise<C> {
    const { secrets } = this.#options.spec
    try {
      return await this.lostStatements.open(() => this.servers.open(context))
    } catch (error) {
      throw secrets ? secrets.hideInError(error) : error
    }
  }

  close(connection: C): Promise<void> {
    return this.servers.close(connection)
  }

  onClosing(connection: C, reason: CloseReason): void {
    this.driver.onClosing?.(connection, reason)
    this.servers.onClosing(connection, reason)
  }

  validate(connection: C): Promise<boolean> {
    return this.servers.validate(connection)
  }

  activity(connection: C): LeaseActivity {
    return this.driver.factory.activity?.(connection) ?? 0
  }

  runningQuery(connection: C): RunningQuery | undefined {
    return this.driver.factory.runningQuery?.(connection)
  }

  isListening(connection: C): boolean {
    return this.driver.factory.isListening?.(connection) ?? false
  }

  reset(connection: C): boolean | Promise<boolean> {
    const fit = this.driver.factory.reset?.(connection) ?? true
    if (this.#options.discovery.isDue) return this.#discover(connection, fit)
    // After the reset: the server reports a change with the answer that the reset waits for.
    return typeof fit === 'boolean' ? fit && this.servers.isFit(connection) : this.#atHome(connection, fit)
  }

  async #atHome(connection: C, fit: boolean | Promise<boolean>): Promise<boolean> {
    return (await fit) && this.servers.isFit(connection)
  }

  async #discover(connection: C, fit: boolean | Promise<boolean>): Promise<boolean> {
    if (!(await this.#atHome(connection, fit))) return false
    // With `resetOnRelease: 'off'` the next caller gets the connection with its open transaction: do not run discovery in it.
    return this.driver.isInTransaction(connection) || this.inspect(connection)
  }

  #onStall(stall: Stall): void {
    const { spec, engine } = this.#options
    engine.emit(stallEvent(stall))
    if (spec.options.onEvent || this.#hasWarnedOfStall) return
    this.#hasWarnedOfStall = true
    process.emitWarning(`pool "${spec.name}": ${describeStall(stall)}`, 'PoolguardWarning')
  }
}

function reasonOfProvider({ connection }: GuardSpec): string | undefined {
  const provider = connection && guessProvider(connection)
  if (!provider?.pinsNamedStatements) return undefined
  return `${provider.provider} pins a client that names a statement to one server connection`
}
