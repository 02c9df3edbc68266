import { defaultHeadroom } from '../../../packages/core/src/budget/index.ts'
import { SimulatedClock, seededRandom } from '../../../packages/core/src/fleet/testing/simulated-clock.ts'
import { dueShares } from '../../../packages/core/src/fleet/testing/simulated-fleet.ts'
import { type ServerSession, SimulatedServer } from '../../../packages/core/src/fleet/testing/simulated-server.ts'
import type { GuardEvent, GuardScenario } from './guard-events.ts'
import { GuardedProcess } from './guarded-process.ts'
import { HostileAnswers } from './hostile-answers.ts'
import { SimulatedNetwork } from './simulated-network.ts'
import { withSimulatedTime } from './simulated-time.ts'

const USABLE = 60
/** With more processes than the budget, not every process can have a connection. */
const MAX_PROCESSES = 8
/** How long a server keeps the session of a client that the network has cut off. */
const KEEPALIVE_MILLIS = 60_000
/** Longer than the pauses after failures, and long enough for a fleet to settle. */
const RECOVERY_MILLIS = 120_000
/** How many callers each process has in the end, all the time. */
const LAST_CALLERS = 12
const LAST_MILLIS = 30_000
/** Two ways over the slowest network. */
const LOSS_MILLIS = 600
/** A process without callers does not look at the server again before its idle connections are closed. */
const EXCHANGE_MILLIS = 45_000
/** As long as a driver takes for an answer, and some more. */
const CLOSE_MILLIS = 30_000

/** Processes with real guards on a simulated server, as one fleet. `run` throws when an invariant does not hold. */
export class GuardWorld {
  readonly counts = {
    ...{ steps: 0, served: 0, rejected: 0, failed: 0, most: 0, deceived: 0 },
  }
  readonly #scenario: GuardScenario
  readonly #clock = new SimulatedClock()
  readonly #server = new SimulatedServer(this.#clock, USABLE)
  readonly #network: SimulatedNetwork
  readonly #processes: GuardedProcess[] = []
  readonly #others: ServerSession[] = []
  #made = 0
  /** Pools keep a conclusion from a lie: how the server is reached, or that its limits are unknown. */
  #wasDeceived = false
  /** Until then, the processes may not know that there are fewer connections than before. */
  #mayExceedUntil = -Infinity

  constructor(scenario: GuardScenario) {
    this.#scenario = scenario
    this.#network = new SimulatedNetwork(this.#clock, seededRandom(scenario.seed))
  }

  run(): Promise<void> {
    return withSimulatedTime(this.#clock, this.#scenario.seed, () => this.#run())
  }

  async #run(): Promise<void> {
    for (const [afterMillis, event] of this.#scenario.events) {
      await this.#advance(afterMillis)
      this.#do(event)
      await this.#advance(0)
    }
    this.#network.heal()
    await this.#advance(RECOVERY_MILLIS)
    for (const process of this.#processes) expect(process.waiting === 0, `${process.name} serves every caller`)
    if (!this.#wasDeceived) {
      for (const process of this.#processes) expect(process.unanswered === 0, `no statement of ${process.name} hangs`)
      await this.#checkShares()
    }
    await this.#checkEnd()
  }

  async #checkShares(): Promise<void> {
    for (const process of this.#processes) process.keepBusy(LAST_CALLERS, LAST_MILLIS)
    await this.#advance(LAST_MILLIS - 1)
    const wanted = this.#processes.map(({ member, min, max = Infinity }) => {
      return { name: member, floor: Math.max(1, min), demand: Math.min(LAST_CALLERS, max) }
    })
    const due = dueShares(this.#budget, wanted)
    for (const [index, process] of this.#processes.entries()) {
      const share = Math.min(LAST_CALLERS, due[index] as number)
      expect(
        process.mayHave >= share,
        `${process.name} may have ${process.mayHave} connections of its share of ${share}`,
      )
    }
    await this.#advance(LAST_MILLIS)
  }

  async #checkEnd(): Promise<void> {
    const ended = this.#processes.map((process) => process.end())
    await this.#advance(CLOSE_MILLIS)
    for (const process of ended) expect(process.isEnded, 'a pool that is closed ends')
    const left = [...this.#server.sessions].filter((session) => !this.#others.includes(session))
    expect(left.length === 0, `${left.length} sessions are left on the server`)
  }

  async #advance(millis: number): Promise<void> {
    let broken: Error | undefined
    await this.#clock.advance(millis, () => {
      broken ??= this.#findBroken()
    })
    if (broken) throw broken
  }

  #findBroken(): Error | undefined {
    this.counts.steps++
    const { size } = this.#server.sessions
    this.counts.most = Math.max(this.counts.most, size)
    const at = `at ${(this.#clock.now() / 1_000).toFixed(3)} s`
    const late = this.#processes.find((process) => process.isLate)
    if (late) return new Error(`a caller of ${late.name} waits beyond its deadline, ${at}`)
    const beyond = this.#processes.find(({ mayHave, ceiling }) => mayHave > ceiling)
    if (beyond)
      return new Error(`${beyond.name} may have ${beyond.mayHave} connections of at most ${beyond.ceiling}, ${at}`)
    if (this.#wasDeceived) {
      this.counts.deceived = Math.max(this.counts.deceived, ...this.#processes.map(({ mayHave }) => mayHave))
      return undefined
    }
    // No process learns of a change while nothing arrives.
    if (this.#network.availability === 'silent' && this.#clock.now() <= this.#mayExceedUntil)
      this.#mayExceedWithin(EXCHANGE_MILLIS)
    // The first connection of each is out of the headroom.
    const { mistake } = this.#processes.find((process) => process.mistake) ?? {}
    if (mistake) return new Error(`${mistake}, ${at}`)
    const claims = this.#processes.reduce((sum, { claim }) => sum + (claim > 1 ? claim : 0), 0)
    if (claims > this.#budget && this.#clock.now() > this.#mayExceedUntil)
      return new Error(`the processes may open ${claims} of ${this.#budget} connections, ${at}`)
    return undefined
  }

  get #budget(): number {
    const { maxConnections } = this.#server
    return maxConnections - defaultHeadroom(maxConnections) - this.#others.length
  }

  #do(event: GuardEvent): void {
    const process = 'pick' in event ? this.#processes[event.pick % Math.max(1, this.#processes.length)] : undefined
    switch (event.type) {
      case 'join':
        this.#join(event)
        break
      case 'leave':
        if (process) this.#leave(process)
        break
      case 'close idle':
        process?.closeIdle()
        break
      case 'refresh':
        process?.refresh()
        break
      case 'calls':
        process?.call(event.count, event)
        break
      case 'kill':
      case 'cut':
        this.#lose(event)
        break
      case 'restart':
        this.#restart(event.maxConnections)
        break
      case 'availability':
        this.#network.availability = event.availability
        break
      case 'latency':
        this.#network.tripMillis = event.tripMillis
        break
      case 'answers':
        this.#network.answers = event.answers
        this.#wasDeceived ||= event.answers === 'made up'
        break
      case 'others':
        this.#setOthers(event.count)
    }
  }

  #join(options: { readonly max: number | undefined; readonly min: number }): void {
    if (this.#processes.length >= MAX_PROCESSES) return
    const hostile = new HostileAnswers(seededRandom(this.#scenario.seed + this.#made))
    const world = { clock: this.#clock, server: this.#server, network: this.#network, hostile }
    this.#processes.push(new GuardedProcess(`process ${this.#made++}`, { ...world, ...options, counts: this.counts }))
  }

  #leave(process: GuardedProcess): void {
    this.#processes.splice(this.#processes.indexOf(process), 1)
    process.end()
  }

  #lose({ type, pick }: { readonly type: 'kill' | 'cut'; readonly pick: number }): void {
    const clients = this.#processes.flatMap(({ clients: each }) => each)
    const client = clients[pick % Math.max(1, clients.length)]
    if (!client) return
    if (type === 'kill') this.#server.end(client.session)
    else {
      client.state = 'cut'
      this.#clock.after(KEEPALIVE_MILLIS, () => this.#server.end(client.session))
    }
  }

  #restart(maxConnections: number): void {
    // Each process hears that its connections are lost.
    this.#mayExceedWithin(LOSS_MILLIS)
    this.#others.length = 0
    this.#server.restart(maxConnections)
  }

  #mayExceedWithin(millis: number): void {
    this.#mayExceedUntil = Math.max(this.#mayExceedUntil, this.#clock.now() + millis)
  }

  #setOthers(count: number): void {
    this.#mayExceedWithin(EXCHANGE_MILLIS)
    for (const session of this.#others.splice(0)) this.#server.end(session)
    for (let i = 0; i < count; i++) {
      const session = this.#server.connect('psql')
      if (session) this.#others.push(session)
    }
  }
}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}
