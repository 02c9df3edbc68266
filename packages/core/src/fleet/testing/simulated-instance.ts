import { FleetController, type FleetPort } from '../fleet-controller.ts'
import type { FleetPart } from '../fleet-part.ts'
import { trustRows } from '../fleet-query.ts'
import { type FleetView, viewServer } from '../fleet-view.ts'
import type { Doubt } from '../limit-watch.ts'
import type { SimulatedClock } from './simulated-clock.ts'
import { exchangeThroughConsole } from './simulated-console.ts'
import type { ServerSession, SimulatedServer } from './simulated-server.ts'

export interface SimulatedInstanceOptions {
  readonly member: string
  readonly server: SimulatedServer
  readonly random: () => number
  readonly intervalMillis?: number
  readonly headroom?: number | undefined
  readonly min?: number
  readonly max?: number
  readonly role?: string
  readonly database?: string
  /** In addition to its own role; if undefined, it trusts all roles. */
  readonly trustedRoles?: readonly string[] | undefined
  /** Maximum duration of one way over the network. */
  readonly tripMillis?: number
  /** Its part in the fleet's adaptive limit. */
  readonly part?: FleetPart
  /** Whether the server is a PgBouncer, whose console shows the clients and carries the publication. */
  readonly pooled?: boolean
}

const TRIP_MILLIS = 3
/** Maximum duration of a lease. */
const LEASE_MILLIS = 200
const IDLE_MILLIS = 30_000
/** Pause of a pool after a rejected connection. */
const PAUSE_MILLIS = 400

/** A process with a minimal pool, under the real controller. */
export class SimulatedInstance implements FleetPort {
  readonly controller: FleetController
  /** Callers that hold a connection or wait for one. */
  want = 0
  max = 1
  /** Number of exchanges that it has started. */
  exchanges = 0
  /** How often it has seen names of a role that it does not trust. */
  ignored = 0
  readonly doubts: Doubt[] = []
  readonly #options: SimulatedInstanceOptions
  readonly #clock: SimulatedClock
  readonly #open = new Set<ServerSession>()
  #opening = 0
  /** Sessions that the server has accepted, of which the instance does not know yet. */
  readonly #accepted = new Set<ServerSession>()
  #pausing = false
  #publisher: ServerSession | undefined
  #crashed = false
  /** Events that are deferred while it is frozen or cut off. */
  #deferred: (() => void)[] | undefined

  constructor(options: SimulatedInstanceOptions) {
    this.#options = options
    this.#clock = options.server.clock
    const { member, intervalMillis = 5_000, headroom, random, part } = options
    const clock = {
      now: () => this.#clock.now(),
      after: (millis: number, onTimer: () => void) => this.#after(millis, onTimer),
      blockedMillis: 0,
    }
    this.controller = new FleetController({
      ...{ member, intervalMillis, headroom, port: this, clock, random, part },
      onDoubt: (doubt) => this.doubts.push(doubt),
    })
  }

  get name(): string {
    return this.#options.member
  }

  get openNow(): number {
    return this.#open.size
  }

  /** Its max or its open connections; only its open connections while it is frozen. */
  get claim(): number {
    const alive = [...this.#open].filter((session) => this.#options.server.sessions.has(session)).length
    return this.#deferred ? alive : Math.max(this.max, alive)
  }

  /** Sets the number of callers. */
  load(want: number): void {
    const before = this.want
    this.want = want
    if (this.#crashed) return
    for (let i = before; i < want; i++) this.#acquire(i)
    this.#serve()
    this.#after(IDLE_MILLIS, () => this.#reap(want))
  }

  #acquire(before: number): void {
    this.want = before
    this.controller.onAcquire()
    this.want = before + 1
  }

  /** Simulates SIGKILL. */
  crash(): void {
    this.#crashed = true
    this.controller.leave()
    for (const session of [...this.#open, ...this.#accepted]) this.#options.server.end(session)
  }

  /** Simulates SIGSTOP, or a network that transfers nothing. */
  freeze(): void {
    this.#deferred ??= []
  }

  thaw(): void {
    const deferred = this.#deferred ?? []
    this.#deferred = undefined
    for (const event of deferred) this.#run(event)
  }

  /** Ends the connection that carries its publication. */
  losePublisher(): void {
    if (this.#publisher) this.#options.server.end(this.#publisher)
  }

  demand(): number {
    return this.want
  }

  open(): number {
    return this.#open.size + this.#opening
  }

  opened(): number {
    return this.#open.size
  }

  held(): number {
    return this.#open.size + this.#opening
  }

  bounds(): { min: number; max: number } {
    return { min: this.#options.min ?? 0, max: this.#options.max ?? Infinity }
  }

  applyShare(max: number): void {
    this.max = max
    this.#serve()
  }

  onExchangeFailed(): void {}

  async exchange(decide: (view: FleetView) => string): Promise<void> {
    const { server, pooled, trustedRoles } = this.#options
    const session = await this.#acquireFirst()
    if (pooled) {
      this.exchanges++
      this.#publisher = await exchangeThroughConsole(server, session, {
        member: this.name,
        trustedRoles,
        publisher: this.#publisher,
        decide,
        trip: () => this.#trip(),
      })
      return
    }
    this.exchanges++
    await this.#trip()
    const release = await server.lock(session)
    try {
      const seen = server.activity(session)
      const { rows, ignored } = trustRows(seen, trustedRoles ?? seen.map(({ role = '' }) => role))
      this.ignored += ignored.length
      const view = viewServer({ capacity: server.capacity, rows })
      await this.#trip()
      const name = decide(view)
      await this.#trip()
      if (!server.sessions.has(session)) throw new Error('lost')
      session.name = name
    } finally {
      release()
    }
    await this.#trip()
    if (!server.sessions.has(session)) throw new Error('lost')
    this.#publisher = session
  }

  /** Goes ahead of waiting callers, but does not interrupt active ones. */
  async #acquireFirst(): Promise<ServerSession> {
    this.#serve({ atLeast: 1 })
    for (;;) {
      const [session] = this.#open
      const busy = this.want >= this.#open.size
      if (session) await this.#sleep(busy ? this.#options.random() * (LEASE_MILLIS / this.#open.size) : 0)
      if (session && this.#open.has(session)) return session
      await this.#sleep(PAUSE_MILLIS)
    }
  }

  #serve({ atLeast = 0 } = {}): void {
    if (this.#crashed) return
    const wanted = Math.min(this.max, Math.max(this.want, this.#options.min ?? 0, atLeast))
    while (this.held() < wanted && !this.#pausing) void this.#connect()
    for (let surplus = this.#open.size - this.max; surplus > 0; surplus--) {
      const idle = this.#open.size - this.want >= surplus
      this.#after(
        idle ? 0 : this.#options.random() * LEASE_MILLIS,
        () => this.#open.size > this.max && this.#closeOne(),
      )
    }
  }

  async #connect(): Promise<void> {
    const { server, member, role, database } = this.#options
    this.#opening++
    await this.#trip()
    const onLost = () => this.#run(() => this.#onEnded(session as ServerSession, { wasLost: true }))
    const session = server.connect(member, onLost, {
      ...(role !== undefined && { role }),
      ...(database !== undefined && { database }),
    })
    if (session) this.#accepted.add(session)
    await this.#trip()
    if (session) this.#accepted.delete(session)
    this.#opening--
    if (session && server.sessions.has(session)) this.#onOpened(session)
    else this.#onRejected()
    this.#serve()
  }

  #onOpened(session: ServerSession): void {
    this.#open.add(session)
    this.controller.onOpened()
    if (this.#open.size > this.max) this.#closeOne()
  }

  #onRejected(): void {
    this.#pausing = true
    this.controller.onOpenFailed({ isFull: true })
    this.#after(PAUSE_MILLIS * this.#options.random(), () => {
      this.#pausing = false
      this.#serve()
    })
  }

  #closeOne(): void {
    const session = [...this.#open].find((each) => each !== this.#publisher) ?? this.#publisher
    if (!session) return
    this.#open.delete(session)
    this.#options.server.end(session)
    this.#open.add(session)
    this.#onEnded(session, { wasLost: false })
  }

  #onEnded(session: ServerSession, how: { readonly wasLost: boolean }): void {
    if (!this.#open.delete(session)) return
    if (session === this.#publisher) {
      this.#publisher = undefined
      this.controller.onPublisherLost()
    }
    this.controller.onClosed(how)
    this.#serve()
  }

  #reap(want: number): void {
    const kept = Math.max(this.want, this.#options.min ?? 0)
    while (this.want === want && this.#open.size > kept) this.#closeOne()
  }

  #trip(): Promise<void> {
    const { tripMillis = TRIP_MILLIS, random } = this.#options
    return this.#sleep((tripMillis * (1 + 2 * random())) / 3)
  }

  #sleep(millis: number): Promise<void> {
    return new Promise((resolve) => this.#after(millis, resolve))
  }

  #after(millis: number, onTimer: () => void): () => void {
    return this.#clock.after(millis, () => this.#run(onTimer))
  }

  #run(event: () => void): void {
    if (this.#crashed) return
    if (this.#deferred) this.#deferred.push(event)
    else event()
  }
}
