import { systemClock, withTimeout } from '../../clock.ts'
import { FleetController, type FleetView, makeMember, pooledName, type Share } from '../../fleet/index.ts'
import { InvalidAnswerError } from '../../invalid-answer-error.ts'
import type { FleetSnapshot } from '../../observe/index.ts'
import { type Lease, type Pool, type PoolEvent, runDetached } from '../../pool/index.ts'
import { readError } from '../../postgres-errors/index.ts'
import type { FleetOptions } from '../../settings/index.ts'
import type { Topology } from '../../topology/index.ts'
import type { ConsoleOptions, GuardedDriver, PoolerConsole } from '../guarded-driver.ts'
import { ExchangeLease } from './exchange-lease.ts'
import { FleetWarnings } from './fleet-warnings.ts'
import { closeConsole, lookAtPooler, UnseenError } from './pgbouncer-exchange.ts'
import { type Ask, lookAtServer, type ServerLookOptions, TellsNothing } from './server-exchange.ts'

const INTERVAL_MILLIS = 5_000
/** A server that answers no later than this is as good as none. Its own limits on a look end sooner. */
const ANSWER_MILLIS = 5_000
/** A share is kept for so many intervals in which a pooler's console does not show the others any more. */
const UNSEEN_INTERVALS = 2
/** And for so long, no less, while nothing answers in time: an instance that is only slow must not take more than its share. */
const LATE_MILLIS = 5_000

export interface FleetMembershipOptions<C> {
  readonly fleet: FleetOptions
  readonly headroom: number | undefined
  readonly engine: () => Pool<C>
  readonly driver: () => GuardedDriver<C>
  /** What the user has set; without a bound, the most that a pool opens by what it finds. */
  readonly bounds: () => { readonly min: number; readonly max: number }
  /** So many connections may be open from now on. */
  readonly adopt: (max: number, share: Share | undefined) => void
  /** The others cannot be seen: from now on what is given holds, until a look succeeds. */
  readonly standAlone: (why: string) => void
  readonly warn: (message: string) => void
}

/** A pool's part in its fleet: the controller, and the connections it looks and publishes through. */
export class FleetInstance<C> {
  /** `app#id`. */
  readonly member: string
  readonly #options: FleetMembershipOptions<C>
  readonly #intervalMillis: number
  readonly #controller: FleetController
  /** What carries the publication: one of the pool's connections, or behind a pooler one to its console. */
  #publisher: C | PoolerConsole | undefined
  #console: PoolerConsole | undefined
  readonly #seat: ExchangeLease<C>
  readonly #warnings: FleetWarnings
  #warned = false
  #throughPooler = false
  #seenAt = 0
  /** Why the others cannot be seen; undefined while they can, or may be. */
  #unseen: UnseenError | undefined

  constructor(options: FleetMembershipOptions<C>) {
    const { fleet, headroom, engine, bounds, adopt } = options
    this.#options = options
    this.#seat = new ExchangeLease(engine)
    this.#intervalMillis = fleet.intervalMillis ?? INTERVAL_MILLIS
    this.#warnings = new FleetWarnings({
      ...{ app: fleet.app, intervalMillis: this.#intervalMillis, warn: options.warn },
    })
    this.member = makeMember(fleet.app, Math.random)
    this.#controller = new FleetController({
      member: this.member,
      intervalMillis: this.#intervalMillis,
      headroom,
      clock: systemClock,
      random: Math.random,
      port: {
        demand: () => Math.max(0, engine().demand - this.#seat.own),
        held: () => engine().counts.total,
        open: () => engine().openOrOpening,
        bounds,
        // Until it sees the others again, it is not for the controller to say.
        adopt: (max, share) => {
          if (!this.#unseen) adopt(max, share)
        },
        exchange: (decide, { urgent }) =>
          runDetached(() => this.#seat.use(urgent, (lease) => this.#exchangeOn(lease, decide))),
        failed: (error) => this.#failed(error),
      },
      onDoubt: (doubt) => this.#warnings.doubted(doubt),
    })
  }

  /** The `application_name` of connections to what is at the other end, or may be: undefined where that is not known. */
  nameFor(topology: Topology | undefined): string {
    return topology?.kind === 'direct' ? this.member : pooledName(this.member)
  }

  snapshot(): FleetSnapshot | null {
    const { share, published } = this.#controller
    if (!share) return null
    const { maxConnections: target, instances: members, sharedConnections: budget } = share
    return {
      instance: this.member,
      maxConnections: target,
      demand: published?.demand ?? 0,
      instances: members,
      sharedConnections: budget,
    }
  }

  /** Lines up for a connection, before the callers that come after. */
  takeSeat(): void {
    this.#seat.take()
  }

  /** Takes part, by the seat where one was taken. Where the others cannot be seen it stands alone. */
  async join(topology: Topology): Promise<void> {
    this.#throughPooler = topology.kind === 'pooler'
    if (topology.kind === 'pooler' && topology.pooler.mode === 'statement') {
      this.#standAlone(new UnseenError('behind a pooler in statement mode', { lasting: true }))
      return
    }
    if (topology.kind === 'direct') this.#sees()
    this.#seenAt = systemClock.now()
    await this.#controller.join()
  }

  /** It stands alone for a reason that may have passed. */
  get mayRejoin(): boolean {
    return this.#unseen?.lasting === false
  }

  leave(): void {
    this.#controller.leave()
    this.#seat.giveUp()
  }

  /** A caller comes. */
  asked(): void {
    this.#controller.asked()
  }

  /** The user has set other bounds. */
  rebound(): void {
    this.#controller.rebound()
  }

  heard(event: PoolEvent): void {
    if (event.type === 'opened') this.#controller.opened()
    else if (event.type === 'closed') this.#closed()
    else if (event.type === 'connect-failed' && event.failure === 'full') this.#controller.refused()
  }

  #closed(): void {
    this.#controller.closed()
    if (this.#options.engine().counts.total === 0) this.#publishOn(undefined)
  }

  /** Whether it carries the publication: where one of several is too many, another one goes. */
  needs(connection: C): boolean {
    return connection === this.#publisher
  }

  /** A connection is being closed, or was lost. */
  gone(connection: C | PoolerConsole): void {
    if (connection !== this.#publisher) return
    this.#publishOn(undefined)
    this.#controller.unpublished()
  }

  /** @param console that same one, where it is one. */
  #publishOn(publisher: C | PoolerConsole | undefined, console?: PoolerConsole): void {
    const before = this.#console
    this.#publisher = publisher
    if (before === console) return
    this.#console = console
    if (before) closeConsole(before)
    // It may be closed already.
    void console?.closed.then(() => this.gone(console))
  }

  async #exchangeOn(lease: Lease<C>, decide: (view: FleetView) => string): Promise<void> {
    const connection = lease.resource
    if (this.#options.driver().isInTransaction(connection)) {
      lease.release()
      throw new TransactionLeftOpen()
    }
    let publisher: C | PoolerConsole
    let begun = false
    const ask = (text: string) => {
      begun = true
      return this.#ask(connection, text)
    }
    try {
      publisher = this.#throughPooler
        ? await this.#lookAtPooler(connection, ask, decide)
        : await this.#lookAtServer(lease, ask, decide)
    } catch (error) {
      if (begun) await this.#undo(lease, error)
      throw error
    } finally {
      lease.release()
    }
    this.#warnings.looked()
    // It may have been its time to go.
    if (this.#publisher !== publisher) throw new Error('the connection that was to carry the publication is closed')
  }

  async #undo(lease: Lease<C>, error: unknown): Promise<void> {
    // There would be no answer to that, either.
    if (error instanceof Unanswered || (error as Error).cause instanceof Unanswered) lease.destroy()
    else await this.#ask(lease.resource, 'rollback').catch(() => lease.destroy())
  }

  async #lookAtServer(lease: Lease<C>, ask: Ask, decide: (view: FleetView) => string): Promise<C> {
    const connection = lease.resource
    await lookAtServer({ member: this.member, ask, ...this.#trust }, decide)
    if (lease.active) this.#publishOn(connection)
    return connection
  }

  async #lookAtPooler(connection: C, ask: Ask, decide: (view: FleetView) => string): Promise<PoolerConsole> {
    const { driver, engine, fleet } = this.#options
    const look = {
      member: this.member,
      ask,
      openConsole: (options: Omit<ConsoleOptions, 'url'>) =>
        driver().openConsole(connection, { url: fleet.consoleUrl, ...options }),
      publisher: this.#console,
      open: () => engine().counts.idle + engine().counts.active,
      login: driver().loginOf(connection),
      ...this.#trust,
    }
    const publisher = await lookAtPooler(look, (view) => {
      this.#sees()
      return decide(view)
    })
    this.#seenAt = systemClock.now()
    this.#publishOn(publisher, publisher)
    // All connections may have been lost meanwhile.
    if (engine().counts.total === 0) this.#publishOn(undefined)
    return publisher
  }

  get #trust(): Pick<ServerLookOptions, 'trustedRoles' | 'onIgnored'> {
    const { trustedRoles = [] } = this.#options.fleet
    return { trustedRoles, onIgnored: (connections) => this.#warnings.ignored(connections) }
  }

  /** The others can be seen. */
  #sees(): void {
    if (!this.#unseen) return
    this.#unseen = undefined
    // As a newcomer that has some connections already.
    this.#options.adopt(Math.max(1, this.#options.engine().counts.total), undefined)
  }

  #standAlone(why: UnseenError): void {
    this.leave()
    this.#unseen = why
    this.#options.standAlone(why.message)
  }

  #ask(connection: C, text: string): Promise<string | null | undefined> {
    return withTimeout(this.#options.driver().ask(connection, text), ANSWER_MILLIS, () => new Unanswered())
  }

  /** A pooler whose console is away for a moment takes nobody's share, nor does one that is paused, however long. */
  #lostSight(error: UnseenError): void {
    const blindMillis = systemClock.now() - this.#seenAt
    const proves = !error.late && !error.passing
    if (this.#controller.share) {
      const keptMillis = UNSEEN_INTERVALS * this.#intervalMillis
      const lost = blindMillis > (error.late ? Math.max(keptMillis, LATE_MILLIS) : keptMillis)
      if (lost && !error.passing) this.#standAlone(error)
    } else if (proves || blindMillis > LATE_MILLIS) this.#standAlone(error)
  }

  /** A lock that others had for too long, or a connection that was lost, will be better next time; a missing right will not. */
  #failed(error: unknown): void {
    if (error instanceof UnseenError) {
      this.#lostSight(error)
      return
    }
    const { code } = (error ?? {}) as { code?: unknown }
    if (code === '55P03') this.#warnings.lockHeld()
    const lasting =
      error instanceof TellsNothing ||
      error instanceof InvalidAnswerError ||
      error instanceof TransactionLeftOpen ||
      (typeof code === 'string' && code.startsWith('42'))
    if (!lasting || this.#warned) return
    this.#warned = true
    const { fleet, warn } = this.#options
    warn(`fleet "${fleet.app}" cannot be looked at, so that it keeps what it has: ${readError(error).message}`)
  }
}

class Unanswered extends Error {
  static {
    Unanswered.prototype.name = 'Unanswered'
  }

  constructor() {
    super('the server did not answer in time')
  }
}

/** With `resetOnRelease: 'off'` it is not ours to end: a look in it would commit what somebody has abandoned. */
class TransactionLeftOpen extends Error {
  static {
    TransactionLeftOpen.prototype.name = 'TransactionLeftOpen'
  }

  constructor() {
    super("a transaction was left open on a released connection, and reset is 'off'")
  }
}
