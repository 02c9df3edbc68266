import { FleetController, type FleetPort } from '../fleet-controller.ts'
import { trustRows } from '../fleet-query.ts'
import { type FleetView, readLook } from '../fleet-view.ts'
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
  /** Beside its own; without, it trusts all. */
  readonly trustedRoles?: readonly string[] | undefined
  /** One way over the network takes up to so long. */
  readonly tripMillis?: number
  /** Whether the server is a PgBouncer, whose console shows the others and carries the publication. */
  readonly pooled?: boolean
}

const TRIP_MILLIS = 3
/** A lease lasts up to so long. */
const LEASE_MILLIS = 200
const IDLE_MILLIS = 30_000
/** A pool tries again so long after it was turned away. */
const PAUSE_MILLIS = 400

/** A process with a pool, as little of one as a fleet can tell from a real one, under the controller of the product. */
export class SimulatedInstance implements FleetPort {
  readonly controller: FleetController
  /** Callers that use a connection or wait for one. */
  want = 0
  max = 1
  /** Transactions that it has begun to look. */
  looks = 0
  /** Times that it has seen names of a role that it does not trust. */
  ignored = 0
  readonly doubts: Doubt[] = []
  readonly #options: SimulatedInstanceOptions
  readonly #clock: SimulatedClock
  readonly #open = new Set<ServerSession>()
  #opening = 0
  #pausing = false
  #publisher: ServerSession | undefined
  #crashed = false
  /** While it is frozen or cut off, whatever would happen in it waits here. */
  #later: (() => void)[] | undefined

  constructor(options: SimulatedInstanceOptions) {
    this.#options = options
    this.#clock = options.server.clock
    const { member, intervalMillis = 5_000, headroom, random } = options
    const clock = {
      now: () => this.#clock.now(),
      after: (millis: number, onTimer: () => void) => this.#after(millis, onTimer),
      blockedMillis: 0,
    }
    this.controller = new FleetController({
      ...{ member, intervalMillis, headroom, port: this, clock, random },
      onDoubt: (doubt) => this.doubts.push(doubt),
    })
  }

  get name(): string {
    return this.#options.member
  }

  get openNow(): number {
    return this.#open.size
  }

  /** What it may have, or has; while it is frozen it opens nothing, and the server may have ended some of them. */
  get claim(): number {
    const alive = [...this.#open].filter((session) => this.#options.server.sessions.has(session)).length
    return this.#later ? alive : Math.max(this.max, alive)
  }

  /** So many callers from now on. */
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

  /** SIGKILL. */
  crash(): void {
    this.#crashed = true
    this.controller.leave()
    for (const session of this.#open) this.#options.server.end(session)
  }

  /** SIGSTOP, or a network that lets nothing through. */
  freeze(): void {
    this.#later ??= []
  }

  thaw(): void {
    const later = this.#later ?? []
    this.#later = undefined
    for (const happen of later) this.#run(happen)
  }

  /** The connection that carries its publication dies. */
  losePublisher(): void {
    if (this.#publisher) this.#options.server.end(this.#publisher)
  }

  demand(): number {
    return this.want
  }

  open(): number {
    return this.#open.size + this.#opening
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
    const session = await this.#borrow()
    if (pooled) {
      this.looks++
      this.#publisher = await exchangeThroughConsole(server, session, {
        member: this.name,
        trustedRoles,
        publisher: this.#publisher,
        decide,
        trip: () => this.#trip(),
      })
      return
    }
    this.looks++
    await this.#trip()
    const release = await server.lock(session)
    try {
      const seen = server.activity(session)
      const { rows, ignored } = trustRows(seen, trustedRoles ?? seen.map(({ role = '' }) => role))
      this.ignored += ignored.length
      const view = readLook({ capacity: server.capacity, rows })
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

  /** Comes first in line, but nobody is interrupted for it. */
  async #borrow(): Promise<ServerSession> {
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
    const session = server.connect(member, () => this.#run(() => this.#onEnded(session as ServerSession)), {
      ...(role !== undefined && { role }),
      ...(database !== undefined && { database }),
    })
    await this.#trip()
    this.#opening--
    if (session && this.#crashed) server.end(session)
    else if (session && server.sessions.has(session)) this.#onOpened(session)
    else this.#onRejected()
    this.#serve()
  }

  #onOpened(session: ServerSession): void {
    this.#open.add(session)
    this.controller.onOpened()
  }

  #onRejected(): void {
    this.#pausing = true
    this.controller.onServerFull()
    this.#after(PAUSE_MILLIS * this.#options.random(), () => {
      this.#pausing = false
      this.#serve()
    })
  }

  #closeOne(): void {
    const session = [...this.#open].find((each) => each !== this.#publisher) ?? this.#publisher
    if (!session) return
    this.#options.server.end(session)
    this.#onEnded(session)
  }

  #onEnded(session: ServerSession): void {
    if (!this.#open.delete(session)) return
    if (session === this.#publisher) {
      this.#publisher = undefined
      this.controller.onPublisherLost()
    }
    this.controller.onClosed()
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

  #run(what: () => void): void {
    if (this.#crashed) return
    if (this.#later) this.#later.push(what)
    else what()
  }
}
