import { systemClock } from '../../clock.ts'
import { type Pool, runDetached } from '../../pool/index.ts'
import { forgetTopology, rememberTopology, type Topology } from '../../topology/index.ts'
import type { GuardedDriver } from '../guarded-driver.ts'
import { detectPooler, type Survey } from './discover-topology.ts'
import { type FirstLook, lookFirst } from './first-look.ts'

/** After a look at the database that told too little, the next one waits so long. */
const RESURVEY_MILLIS = 5_000

export interface SurveyorOptions<C> {
  readonly engine: () => Pool<C>
  readonly driver: () => GuardedDriver<C>
  /** What the user has said is at the other end. */
  readonly given: Topology | undefined
  /** Whether there is another reason to look again. */
  readonly wantsAgain: () => boolean
  /** Whether callers wait for the verdict, so that it goes before them. */
  readonly urgent: boolean
  /** A pooler stands in between; which mode it is in takes longer to find out, and is assumed until then. */
  readonly glimpsed: (assumed: Topology) => void
  readonly found: (found: Survey) => Promise<void>
}

/**
 * Knows what is at the other end, and when that has to be found out again.
 *
 * It opens no connection to find out: it looks at the first one that is opened, before that is lent, and later, where a
 * look is due again, at the next one that is opened or comes back. Only a pooler that does not say what it is takes two
 * more connections, while callers go on.
 */
export class ServerDiscovery<C> {
  readonly #options: SurveyorOptions<C>
  #found: Survey | undefined
  /** A look at one connection, and whatever follows from it. */
  #looking: Promise<void> | undefined
  #following: Promise<void> | undefined
  /** A connection that is being opened for {@link ready}. */
  #opening: Promise<void> | undefined
  #againAt = 0
  /** The other end has been away since it was looked at, and may have come back as another. */
  #outdated = false

  constructor(options: SurveyorOptions<C>) {
    this.#options = options
  }

  /** What was found; undefined until it has been looked at. */
  get found(): Survey | undefined {
    return this.#found
  }

  /** Whether the next connection is to be looked at. Asked with every release. */
  get due(): boolean {
    if (this.#found?.capacity && !this.#outdated && !this.#options.wantsAgain()) return false
    if (this.#looking || this.#following) return false
    return this.#opening !== undefined || systemClock.now() >= this.#againAt
  }

  /**
   * A connection is open, or has come back, and no caller has it. Looks at it where that is due. Resolves when it may be
   * lent; to false where it still owes an answer.
   *
   * @throws what the connection was lost with.
   */
  async meet(connection: C): Promise<boolean> {
    while (this.#looking) await this.#looking
    return this.due ? this.#look(connection) : true
  }

  /** Resolves when the look that is under way is over, be it in vain. */
  async settled(): Promise<void> {
    while (this.#looking || this.#following) await (this.#looking ?? this.#following)
  }

  /**
   * Waits until the other end has been looked at; `again` where that was before something has changed.
   *
   * @throws what acquiring a connection throws.
   */
  async ready(again: boolean): Promise<void> {
    if (this.#found && !again) return
    if (!this.#looking && !this.#following) {
      this.#outdated ||= again
      this.#opening ??= this.#open().finally(() => {
        this.#opening = undefined
      })
      await this.#opening
    }
    await this.settled()
  }

  /** What was found is not enough, but not to be had now. */
  later(): void {
    this.#againAt = systemClock.now() + RESURVEY_MILLIS
  }

  /** For the other pools of this process, too. */
  doubt(): void {
    this.#outdated = true
    this.forget()
  }

  forget(): void {
    if (this.#found?.peer !== undefined) forgetTopology(this.#found.peer)
  }

  /** A connection that is opened for it is looked at on the way; one that was open already is looked at here. */
  async #open(): Promise<void> {
    const before = this.#found
    const lease = await runDetached(() => this.#options.engine().acquire({ internal: 'queued' }))
    await this.#looking
    const looked = this.#found !== before || this.#following !== undefined
    if (looked || (await this.#look(lease.resource))) lease.release()
    else lease.destroy()
  }

  #look(connection: C): Promise<boolean> {
    // The request that happens to set it off is not to be blamed for it.
    const looking = runDetached(() => this.#lookAt(connection))
    const over = () => {
      this.#looking = undefined
    }
    this.#looking = looking.then(over, over)
    return looking
  }

  async #lookAt(connection: C): Promise<boolean> {
    const { engine, driver, given } = this.#options
    const afresh = this.#outdated
    // A doubt that arises from now on is about what is being looked at.
    this.#outdated = false
    const look = await lookFirst(driver(), connection, { given, afresh, alone: engine().settings.max < 2 })
    if (driver().isLost(connection)) {
      this.#outdated ||= afresh
      throw look.error ?? new Error('the connection was lost while it was being opened')
    }
    this.#follow(look.conclusive ? this.#adopt(look) : this.#detect(look))
    return look.answered
  }

  #follow(following: Promise<void>): void {
    const over = () => {
      this.#following = undefined
    }
    this.#following = following.then(over, over)
  }

  async #detect({ topology: assumed, ...look }: FirstLook): Promise<void> {
    const { engine, driver, urgent, glimpsed } = this.#options
    glimpsed(assumed)
    // Before the pool's own wait in ready(), which would take the connection that has a server of the pooler's.
    const detected = await detectPooler(engine(), driver(), { first: urgent || this.#opening !== undefined })
    // A saturated pooler leaves the second look without an answer. It is certainly a pooler, though.
    const topology = detected?.kind === 'pooler' ? detected : assumed
    if (look.peer !== undefined) rememberTopology(look.peer, topology)
    if (detected?.kind !== 'pooler') {
      this.#outdated = true
      this.later()
    }
    await this.#adopt({ ...look, topology })
  }

  async #adopt({ peer, topology, capacity, capacityProblem }: Survey): Promise<void> {
    this.#found = { peer, topology, capacity, capacityProblem }
    if (!capacity) this.later()
    await this.#options.found(this.#found)
  }
}
