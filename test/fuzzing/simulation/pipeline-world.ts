import { SimulatedClock, seededRandom } from '../../../packages/core/src/fleet/testing/simulated-clock.ts'
import {
  Pipeline,
  type SharedRequest,
  SharedStatement,
  StatementProfile,
} from '../../../packages/core/src/pipelining/index.ts'
import { DEFAULT_POOL_SETTINGS, type OpenContext, Pool } from '../../../packages/core/src/pool/index.ts'
import { classifyConnectFailure } from '../../../packages/core/src/postgres-errors/index.ts'
import { type PipelineEvent, type PipelineScenario, SERVICE_MILLIS } from './pipeline-events.ts'
import { type SimulatedConnection, SimulatedDatabase } from './simulated-database.ts'

const SHARE_WITHIN_MILLIS = 10
const STALL_MILLIS = 2_500
/** Longer than every statement's timeout. */
const RECOVERY_MILLIS = 60_000

interface Counts {
  steps: number
  answered: number
  rejected: number
  behind: number
}

/** A statement whose answer names the statement that the server has run. */
class WireStatement extends SharedStatement<SimulatedConnection> {
  readonly text: keyof typeof SERVICE_MILLIS
  state: 'waiting' | 'answered' | 'rejected' = 'waiting'
  readonly #world: PipelineWorld

  constructor(request: SharedRequest, world: PipelineWorld, text: keyof typeof SERVICE_MILLIS, signal: AbortSignal) {
    super(request, signal)
    this.text = text
    this.#world = world
  }

  suits({ isReportedLost }: SimulatedConnection): boolean {
    return !isReportedLost
  }

  send(connection: SimulatedConnection, isBehind: boolean): void {
    this.#world.onSent(this, connection, isBehind)
  }

  reject(): void {
    this.#world.settle(this, 'rejected')
  }
}

/** A connection on both sides: what the driver has sent, and what the server has received, each in order. */
interface Wire {
  readonly sent: WireStatement[]
  readonly received: WireStatement[]
  hasCheckout: boolean
  stallMillis: number
  failsNext: boolean
}

/** A pool and its pipeline over a simulated database, and the callers. `run` throws when an invariant does not hold. */
export class PipelineWorld {
  readonly counts: Counts = { steps: 0, answered: 0, rejected: 0, behind: 0 }
  readonly #scenario: PipelineScenario
  readonly #clock = new SimulatedClock()
  readonly #database: SimulatedDatabase
  readonly #pool: Pool<SimulatedConnection>
  readonly #pipeline: Pipeline<SimulatedConnection>
  readonly #profiles = new Map<string, StatementProfile>()
  readonly #wires = new Map<SimulatedConnection, Wire>()
  readonly #statements: WireStatement[] = []
  #checkouts = 0
  #broken: Error | undefined

  constructor(scenario: PipelineScenario) {
    const { seed, max } = scenario
    const random = seededRandom(seed)
    const settings = { ...DEFAULT_POOL_SETTINGS, max, connectTimeoutMillis: 300, drainMillis: 500 }
    this.#scenario = scenario
    const database = new SimulatedDatabase({
      ...{ clock: this.#clock, random, connectTimeoutMillis: settings.connectTimeoutMillis },
      onOpen: () => {},
    })
    this.#database = database
    const factory = {
      open: (context: OpenContext) => this.#open(context),
      validate: (connection: SimulatedConnection) => database.validate(connection),
      close: (connection: SimulatedConnection) => {
        this.#loseAll(connection)
        return database.close(connection)
      },
    }
    this.#pool = new Pool<SimulatedConnection>({
      ...{ name: 'app', settings, random, clock: this.#clock, factory, classify: classifyConnectFailure },
    })
    this.#pipeline = new Pipeline<SimulatedConnection>({
      ...{ engine: this.#pool, lane: undefined, clock: this.#clock, shareWithinMillis: SHARE_WITHIN_MILLIS },
      acquire: (options) => this.#pool.acquire(options),
      onOpen: () => {},
      onBehind: () => this.counts.behind++,
      onClose: (lease, broken) => {
        const isEmpty = this.#wires.get(lease.resource)?.sent.length === 0
        this.#expect(broken !== undefined || isEmpty, 'no connection with statements in flight goes back to the pool')
        if (broken) lease.destroy()
        else lease.release()
      },
      onStall: () => {},
    })
    this.#pool.start()
  }

  async run(): Promise<void> {
    for (const [afterMillis, event] of this.#scenario.events) {
      await this.#advance(afterMillis)
      this.#do(event)
      await this.#advance(0)
    }
    await this.#advance(RECOVERY_MILLIS)
    const isEverySettled = this.#statements.every(({ state }) => state !== 'waiting')
    this.#expect(isEverySettled && this.#checkouts === 0, 'every caller has an outcome after the faults')
    this.#expect(this.#pipeline.behind === 0, 'no statement remains in flight')
    let isDrained = false
    void this.#pool.drain().then(() => {
      isDrained = true
    })
    await this.#advance(5_000)
    this.#expect(isDrained && this.#pool.stats().total === 0, 'a drain ends')
    if (this.#broken) throw this.#broken
  }

  async #open(context: OpenContext): Promise<SimulatedConnection> {
    let connection: SimulatedConnection | undefined
    const lost = (error?: unknown) => {
      context.lost(error)
      if (connection) this.#loseAll(connection)
    }
    connection = await this.#database.open({ ...context, lost })
    this.#wires.set(connection, { sent: [], received: [], hasCheckout: false, stallMillis: 0, failsNext: false })
    return connection
  }

  async #advance(millis: number): Promise<void> {
    await this.#clock.advance(millis, () => this.counts.steps++)
    if (this.#broken) throw this.#broken
  }

  #do(event: PipelineEvent): void {
    const alive = [...this.#database.connections]
    const picked = 'pick' in event ? alive[event.pick % Math.max(1, alive.length)] : undefined
    const wire = picked && this.#wires.get(picked)
    switch (event.type) {
      case 'statements':
        for (let i = 0; i < event.count; i++) this.#run(event.text, event.timeoutMillis)
        break
      case 'checkout':
        void this.#checkOut(event.holdMillis)
        break
      case 'kill':
        if (picked) this.#database.kill(picked)
        break
      case 'cut':
        if (picked?.state === 'alive') picked.state = 'cut'
        break
      case 'stall':
        if (wire) wire.stallMillis = STALL_MILLIS
        break
      case 'fail':
        if (wire) wire.failsNext = true
        break
      case 'restart':
        for (const connection of alive) this.#database.kill(connection)
    }
  }

  #run(text: keyof typeof SERVICE_MILLIS, timeoutMillis: number): void {
    const profile = this.#profiles.get(text) ?? new StatementProfile(text)
    this.#profiles.set(text, profile)
    const controller = new AbortController()
    const request = this.#pipeline.request(profile, 100, this.#run)
    const statement = new WireStatement(request, this, text, controller.signal)
    this.#statements.push(statement)
    this.#clock.after(timeoutMillis, () => {
      controller.abort(new Error('timeout'))
      // A statement that has no connection yet leaves the line with the next microtasks.
      this.#clock.after(1, () => this.#expect(statement.state !== 'waiting', 'no caller waits beyond its deadline'))
    })
    this.#pipeline.run(statement)
  }

  async #checkOut(holdMillis: number): Promise<void> {
    this.#checkouts++
    const lease = await this.#pool.acquire({ timeoutMillis: 5_000 }).catch(() => undefined)
    const wire = lease && this.#wires.get(lease.resource)
    if (!lease || !wire) {
      this.#checkouts--
      return
    }
    this.#expect(wire.sent.length === 0, 'a checkout gets a connection with no statement in flight')
    wire.hasCheckout = true
    this.#clock.after(holdMillis, () => {
      wire.hasCheckout = false
      this.#checkouts--
      lease.release()
    })
  }

  // --- The driver and the server -------------------------------------------------------------------------------------

  onSent(statement: WireStatement, connection: SimulatedConnection, isBehind: boolean): void {
    const wire = this.#wires.get(connection) as Wire
    this.#expect(statement.state === 'waiting', 'no statement is sent for a caller that has an outcome')
    this.#expect(!connection.isReportedLost, 'no statement is sent on a connection that is known to be lost')
    this.#expect(!wire.hasCheckout, 'no statement is sent on a connection of another caller')
    this.#expect(wire.sent.length > 0 === isBehind, 'the pipeline knows what is in flight')
    wire.sent.push(statement)
    this.#clock.after(this.#database.network.tripMillis / 2, () => {
      wire.received.push(statement)
      if (wire.received.length === 1) this.#work(connection, wire)
    })
  }

  /** The server works on the statements of a connection one after the other. */
  #work(connection: SimulatedConnection, wire: Wire): void {
    const [statement] = wire.received
    if (!statement) return
    const millis = SERVICE_MILLIS[statement.text] + wire.stallMillis
    wire.stallMillis = 0
    this.#clock.after(millis, () => {
      if (connection.state !== 'alive') return
      wire.received.shift()
      this.#clock.after(this.#database.network.tripMillis / 2, () => this.#onAnswer(connection, wire, statement))
      this.#work(connection, wire)
    })
  }

  /** The driver takes an answer as that of the first statement without one. */
  #onAnswer(connection: SimulatedConnection, wire: Wire, of: WireStatement): void {
    if (connection.state !== 'alive') return
    const statement = wire.sent.shift()
    if (!statement) return
    this.#expect(statement === of, 'each caller gets the answer to its own statement')
    const isFailed = wire.failsNext
    wire.failsNext = false
    const { isAbandoned } = statement
    this.#pipeline.finish(statement, isFailed)
    if (!isAbandoned) this.settle(statement, 'answered')
  }

  #loseAll(connection: SimulatedConnection): void {
    const statements = this.#wires.get(connection)?.sent.splice(0) ?? []
    for (const statement of statements) {
      const { isAbandoned } = statement
      this.#pipeline.finish(statement, true, new Error('the connection is lost'))
      if (!isAbandoned) this.settle(statement, 'rejected')
    }
  }

  settle(statement: WireStatement, state: 'answered' | 'rejected'): void {
    this.#expect(statement.state === 'waiting', 'a caller has one outcome')
    statement.state = state
    this.counts[state]++
  }

  #expect(holds: boolean, what: string): void {
    if (!holds) this.#broken ??= new Error(`${what}; at ${this.#clock.now().toFixed(3)} ms`)
  }
}
