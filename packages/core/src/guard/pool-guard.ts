import { debuglog } from 'node:util'
import { keepAlive } from '../clock.ts'
import type { ConnectionString } from '../connection-string/index.ts'
import { describeRewriteWarning, type RewriteWarning } from '../drivers/index.ts'
import { InvalidOptionError } from '../invalid-option-error.ts'
import type { KnownSecrets } from '../known-secrets.ts'
import type { PoolSnapshot } from '../observe/index.ts'
import type { PoolSettings } from '../pool/index.ts'
import {
  type AcquireOptions,
  AlreadyReleasedError,
  LateQueryReporter,
  type Lease,
  Pool,
  type PoolCounts,
  type PoolEvent,
  type QueryAfterReleaseError,
} from '../pool/index.ts'
import { classifyConnectFailure } from '../postgres-errors/index.ts'
import { guessProvider } from '../provider/index.ts'
import { assumedTopology, describeSettings, type FleetOptions, type ResolvedSettings } from '../settings/index.ts'
import { AutomaticStatements, SessionStateCheck } from '../statements/index.ts'
import { assumeTopology, describeTopology, type Topology } from '../topology/index.ts'
import { ConnectFailures } from './connect-failures.ts'
import type { Survey } from './discovery/discover-topology.ts'
import { DiscoveringFactory } from './discovery/discovering-factory.ts'
import { ServerDiscovery } from './discovery/server-discovery.ts'
import { PoolRegistration } from './driver-kit/pool-registration.ts'
import { Emptiness } from './emptiness.ts'
import { FleetInstance } from './fleet/fleet-instance.ts'
import type { GuardedDriver } from './guarded-driver.ts'
import type { PoolguardOptions } from './options/poolguard-options.ts'
import { type Bounds, PoolBounds } from './pool-bounds.ts'
import { warnOfSecondPool } from './same-database.ts'

const LEFT_IN_TRANSACTION =
  'A connection was released with a transaction open, which was rolled back. Await COMMIT or ROLLBACK before the release, also after an error. ' +
  'If the transaction was begun with a query of its own (pool.query, dataSource.query, $executeRaw), the statements that followed were not ' +
  "part of it: use the driver's or the ORM's own transaction. Later cases are counted in snapshot().dirtyReleases; onEvent is told of each."

/** Warnings may quote a server, which can say something else every time. */
const MAX_WARNINGS = 50

/** After these a pool may have no connection any more. */
const MAY_EMPTY: readonly PoolEvent['type'][] = ['closed', 'connect-failed', 'timeout', 'drained']

const debug = debuglog('poolguard')

/** What a pool is to be, sorted out of what the user gave. */
export interface GuardSpec {
  readonly name: string
  /** The connection string, its password hidden. */
  readonly target: string
  readonly options: PoolguardOptions
  /** What is to be told of the connection string, once the pool is used. */
  readonly warnings?: readonly RewriteWarning[]
  /** Why no statement is to be prepared automatically, whatever is at the other end. */
  readonly againstPreparing?: string | undefined
  /** What the errors of connecting must not repeat. */
  readonly secrets?: KnownSecrets | undefined
  /** Lets the provider be guessed until a probe has answered. */
  readonly connection?: ConnectionString | undefined
}

/**
 * What stands behind a driver's pool: the engine, and what it has learnt of its other end. Construction opens nothing. The
 * first connection shows what is at the other end before it is lent, and that sets the pool's bounds.
 */
export class PoolGuard<C> {
  readonly engine: Pool<C>
  readonly sessions: SessionStateCheck
  readonly lateQueries: LateQueryReporter<C>
  /** What is prepared automatically, by drivers that can. */
  readonly statements: AutomaticStatements
  readonly #spec: GuardSpec
  readonly #driver: GuardedDriver<C>
  /** What the user has said is at the other end. */
  readonly #given: Topology | undefined
  readonly #registration: PoolRegistration
  readonly #bounds: PoolBounds
  readonly #connectFailures: ConnectFailures
  readonly #surveyor: ServerDiscovery<C>
  #dirtyReleases = 0
  readonly #fleet: FleetInstance<C> | undefined
  readonly #warned = new Set<string>()
  readonly #emptiness = new Emptiness()

  /**
   * @throws {InvalidOptionError} names the option and the value.
   */
  constructor(spec: GuardSpec, makeDriver: (guard: PoolGuard<C>) => GuardedDriver<C>) {
    this.#spec = spec
    this.#registration = new PoolRegistration(this, {
      name: spec.name,
      emit: (event) => this.engine.emit(event),
      hasListener: Boolean(spec.options.onEvent),
    })
    this.#bounds = new PoolBounds(spec.options, () => this.engine)
    this.lateQueries = new LateQueryReporter({ engine: () => this.engine, warnsProcess: !spec.options.onEvent })
    this.#given = assumedTopology(spec.options)
    this.sessions = new SessionStateCheck(spec.options.sessionState ?? 'warn', (message) => this.warn(message))
    const provider = spec.connection && guessProvider(spec.connection)
    this.statements = new AutomaticStatements(spec.options, {
      against: spec.againstPreparing ?? (provider?.pinsNamedStatements && pins(provider.provider)),
      surprised: (reason) => {
        this.warn(reason)
        this.#surveyor.doubt()
      },
    })
    const assumed = this.#given ?? (spec.connection && assumeTopology(spec.connection))
    if (assumed) this.sessions.adopt(assumed)
    this.#fleet = spec.options.fleet && this.#makeMembership(spec.options.fleet)
    this.#driver = makeDriver(this)
    const { classify = classifyConnectFailure } = this.#driver
    this.#connectFailures = new ConnectFailures({ target: spec.target, options: spec.options, classify })
    this.#surveyor = new ServerDiscovery({
      engine: () => this.engine,
      driver: () => this.#driver,
      given: this.#given,
      wantsAgain: () => this.#fleet?.mayRejoin === true,
      urgent: this.#fleet !== undefined,
      glimpsed: (assumed) => this.sessions.adopt(assumed),
      found: (found) => this.#adopt(found),
    })
    const { values: settings } = this.settings
    refuseMinToWaitFor(spec.options, settings)
    this.engine = new Pool({
      name: spec.name,
      settings,
      factory: new DiscoveringFactory(this.#driver, this.#surveyor, spec.secrets),
      classify: (error) => this.#connectFailures.classify(error),
      advise: (error) => this.#connectFailures.advise(error),
      onEvent: (event) => this.#heard(event),
      onClosing: (connection, reason) => {
        this.#driver.gone?.(connection, reason)
        this.#fleet?.gone(connection)
      },
      isPinned: (connection) => this.#fleet?.needs(connection) ?? false,
    })
    // It has connections before anybody has used it.
    if (settings.min > 0) this.#enter()
  }

  /** Borrows a connection. What it throws is told at {@link Pool.acquire}. */
  acquire(options?: AcquireOptions): Promise<Lease<C>> {
    if (!this.#registration.isEntered) this.#enter()
    if (this.#fleet) this.#askFleet(this.#fleet)
    const lease = this.engine.acquire(options)
    if (this.#spec.options.waitUntil) this.#keepAlive(this.#spec.options.waitUntil, lease)
    return lease
  }

  /** The fleet's first look goes before the callers, who may keep the only connection for long. */
  #askFleet(fleet: FleetInstance<C>): void {
    if (this.#surveyor.due && this.engine.openOrOpening === 0) fleet.takeSeat()
    fleet.asked()
  }

  /**
   * A driver has opened a connection, and nothing but the login was sent on it. Resolves when it may be used; to false
   * where it still owes an answer.
   *
   * @throws what the connection was lost with.
   */
  meet(connection: C): Promise<boolean> {
    return this.#surveyor.meet(connection)
  }

  /** Asked in the caller's own context: platforms want to know for which request. */
  #keepAlive(waitUntil: NonNullable<PoolguardOptions['waitUntil']>, lease: Promise<unknown>): void {
    try {
      waitUntil(this.#emptiness.promise)
    } catch (error) {
      this.warn(`waitUntil has thrown, so idle connections may outlive the function: ${String(error)}`)
    }
    // Of one that was turned away nothing else may follow.
    lease.catch(() => this.#emptiness.check(this.engine.counts))
  }

  /** Closes what nobody uses now, the look at the database included. See {@link Pool.closeIdle}. */
  async closeIdle(): Promise<void> {
    await this.#surveyor.settled()
    await this.engine.closeIdle()
  }

  /** Waits until the other end has been looked at; `again` where that was before something has changed. */
  async ready({ refresh: again = false }: { readonly refresh?: boolean } = {}): Promise<PoolSnapshot> {
    if (!this.#registration.isEntered) this.#enter()
    await keepAlive(this.#surveyor.ready(again))
    return this.snapshot()
  }

  /** Changes the bounds; they hold whatever a later survey finds. */
  resize(bounds: Bounds): void {
    this.#bounds.resize(bounds)
    this.#fleet?.rebound()
  }

  /** @param drainMillis how long leases are waited for; default: the setting. */
  async close(drainMillis?: number): Promise<void> {
    this.#fleet?.leave()
    await this.engine.drain(drainMillis)
    // Whoever comes later may find another server at the same address.
    this.#surveyor.forget()
    this.#registration.leave()
  }

  snapshot(): PoolSnapshot {
    return {
      name: this.#spec.name,
      target: this.#spec.target,
      stats: this.engine.stats(),
      dirtyReleases: this.#dirtyReleases,
      sessionStateFindings: this.sessions.findings,
      topology: this.topology ?? null,
      preparing: this.statements.state,
      budget: this.settings.budget,
      fleet: this.#fleet?.snapshot() ?? null,
    }
  }

  get counts(): PoolCounts {
    return this.engine.counts
  }

  /** What connections that are opened now are to carry as their `application_name`; undefined where that is the user's. */
  get applicationName(): string | undefined {
    return this.#fleet?.nameFor(this.topology ?? this.#given)
  }

  /** The settings that hold, and why. */
  get settings(): ResolvedSettings {
    return this.#bounds.settings
  }

  /** What was found at the other end; undefined until it has been looked at. */
  get topology(): Topology | undefined {
    return this.#surveyor.found?.topology
  }

  /** A connection came back with a transaction open. */
  leftInTransaction(): void {
    this.#dirtyReleases++
    this.engine.emit({ type: 'dirty-release' })
    if (this.#spec.options.onEvent || this.#dirtyReleases > 1) return
    const message = `pool "${this.#spec.name}": ${LEFT_IN_TRANSACTION}`
    process.emitWarning(message, 'PoolguardWarning')
  }

  /** The error for a caller that has released a checkout a second time. */
  releasedTwice(lease: Lease<C>, driverMessage: string): AlreadyReleasedError {
    return new AlreadyReleasedError(driverMessage, this.#spec.name, this.engine.endedCheckout(lease))
  }

  /**
   * A caller has sent a query on a checkout that has ended.
   *
   * @param stack where it was sent.
   * @returns the error that the query is to fail with; undefined where it is to run.
   */
  queriedAfterRelease(lease: Lease<C>, stack: string | null): QueryAfterReleaseError | undefined {
    const rejected = this.#spec.options.queryAfterRelease === 'reject'
    const error = this.lateQueries.report(lease, { stack, rejected })
    return rejected ? error : undefined
  }

  warn(message: string): void {
    this.#registration.warn(message)
  }

  /** Into the process's registry, and what was to be said of its URL. */
  #enter(): void {
    const second = this.#spec.options.name === undefined && warnOfSecondPool(this.snapshot())
    if (second) this.warn(second)
    this.#registration.enter()
    for (const warning of this.#spec.warnings ?? []) this.warn(describeRewriteWarning(warning))
  }

  #heard(event: PoolEvent): void {
    if (event.type === 'opened') this.#connectFailures.onOpened()
    else if (event.type === 'closed') this.#connectFailures.onClosed(event.error)
    if (event.type === 'connect-failed' && event.failure === 'unavailable') this.#surveyor.doubt()
    this.#fleet?.heard(event)
    if (MAY_EMPTY.includes(event.type)) this.#emptiness.check(this.engine.counts)
    this.#spec.options.onEvent?.(event)
  }

  async #adopt(found: Survey): Promise<void> {
    this.sessions.adopt(found.topology)
    this.statements.adopt(found.topology)
    this.#bounds.adopt(found)
    if (found.topology.kind === 'unknown') this.#fleet?.leave()
    else await this.#fleet?.join(found.topology)
    this.#tellWarnings()
    debug('pool "%s": %s\n%s', this.#spec.name, describeTopology(found.topology), describeSettings(this.settings))
    const { active, reason } = this.statements.state
    debug('pool "%s": prepares statements automatically: %s (%s)', this.#spec.name, active ? 'yes' : 'no', reason)
  }

  #tellWarnings(): void {
    for (const warning of this.settings.warnings) this.#warnOnce(warning)
  }

  #warnOnce(warning: string): void {
    if (this.#warned.has(warning) || this.#warned.size >= MAX_WARNINGS) return
    this.#warned.add(warning)
    this.warn(warning)
  }

  #makeMembership(fleet: FleetOptions): FleetInstance<C> {
    return new FleetInstance({
      fleet,
      headroom: this.#spec.options.headroom,
      engine: () => this.engine,
      driver: () => this.#driver,
      bounds: () => this.#bounds.wished,
      adopt: (max, share) => {
        this.#bounds.adoptShare(max, share)
        this.#tellWarnings()
      },
      standAlone: (why) => this.#standAlone(why),
      warn: (message) => this.warn(message),
    })
  }

  #standAlone(why: string): void {
    this.#bounds.standAlone(why)
    this.#surveyor.later()
    this.#tellWarnings()
  }
}

function refuseMinToWaitFor({ waitUntil }: PoolguardOptions, { min }: PoolSettings): void {
  if (!waitUntil || min === 0) return
  throw new InvalidOptionError('pool.min', min, '0 where waitUntil is given: connections that are kept open never end')
}

function pins(provider: string): string {
  return `${provider} pins a client that names a statement to one server connection`
}
