import { EXCHANGE_QUERY } from '../../../packages/core/src/fleet/index.ts'
import type { SimulatedServer } from '../../../packages/core/src/fleet/testing/simulated-server.ts'
import type {
  AwaitingConnection,
  GuardedConnections,
  GuardedDriver,
  Login,
  PoolerConsole,
} from '../../../packages/core/src/guard/index.ts'
import type { OpenContext } from '../../../packages/core/src/pool/index.ts'
import { SessionHealth, SharedHealth } from '../../../packages/core/src/postgres-errors/index.ts'
import { type ProbeSession, readPid } from '../../../packages/core/src/topology/index.ts'
import type { HostileAnswers } from './hostile-answers.ts'
import type { SimulatedClient } from './simulated-client.ts'
import { FULL, REFUSED, type SimulatedNetwork, TERMINATED } from './simulated-network.ts'
import { SimulatedStatements } from './simulated-statements.ts'

const ROLE = 'app'

interface SimulatedDriverOptions {
  readonly server: SimulatedServer
  readonly network: SimulatedNetwork
  /** What it answers while the answers are made up. */
  readonly hostile: HostileAnswers
  /** Undefined if the user determines it. */
  readonly applicationName: () => string | undefined
  readonly connections: GuardedConnections<SimulatedClient>
}

/** A driver that knows the statements of discovery and of the fleet's exchange, for a server without a pooler. */
export class SimulatedDriver implements GuardedDriver<SimulatedClient> {
  readonly factory: GuardedDriver<SimulatedClient>['factory'] = {
    open: (context) => this.#open(context),
    close: (client) => this.#close(client),
    validate: (client) => this.#answers(client),
    reset: (client) => this.#answers(client),
    runningQuery: (client) => this.#statements.running(client),
    activity: (client) => this.#statements.activity(client),
  }
  readonly clients = new Set<SimulatedClient>()
  /** Cut by the network and given up by the server, while the pool takes them for open. */
  readonly unnoticed = new Set<SimulatedClient>()
  /** A statement that was given up although its answer would have come. */
  mistake: string | undefined
  readonly #options: SimulatedDriverOptions
  readonly #statements: SimulatedStatements
  #pids = 0

  constructor(options: SimulatedDriverOptions) {
    this.#options = options
    this.#statements = new SimulatedStatements(options)
  }

  /** Number of statements without an answer. */
  get unanswered(): number {
    return this.#statements.unanswered
  }

  /** Runs a statement that takes the server so long. */
  run(client: SimulatedClient, millis: number): Promise<void> {
    return this.#statements.run(client, millis)
  }

  async #open({ signal, lost }: OpenContext): Promise<SimulatedClient> {
    const { promise: aborted, reject } = Promise.withResolvers<never>()
    signal.addEventListener('abort', () => reject(signal.reason))
    const opening = this.#login(signal, lost)
    // The server learns later that the client has given up.
    opening.then(
      (client) => signal.aborted && void this.#close(client),
      () => {},
    )
    const client = await Promise.race([opening, aborted])
    await this.#options.connections.inspect(client)
    return client
  }

  async #login(signal: AbortSignal, lost: (error?: unknown) => void): Promise<SimulatedClient> {
    const { server, network, applicationName } = this.#options
    await network.trip()
    signal.throwIfAborted()
    if (network.availability === 'refusing') throw REFUSED
    const session = server.connect(applicationName() ?? '', () => void this.#onEnded(client))
    if (!session) throw FULL
    const client: SimulatedClient = { session, pid: ++this.#pids, state: 'alive', unlock: undefined, lost }
    this.clients.add(client)
    this.#statements.onLogin(client)
    await network.trip()
    return client
  }

  /** The server has ended a session, of which the client hears after a while. */
  async #onEnded(client: SimulatedClient): Promise<void> {
    this.clients.delete(client)
    if (client.state === 'cut') this.unnoticed.add(client)
    if (client.state !== 'alive') return
    await this.#options.network.trip()
    if (client.state !== 'alive') return
    this.#onLost(client, TERMINATED)
  }

  #onLost(client: SimulatedClient, error: Error): void {
    client.state = 'lost'
    this.#statements.fail(client, error)
    client.lost(error)
  }

  async #close(client: SimulatedClient): Promise<void> {
    const isCut = client.state === 'cut'
    client.state = 'closed'
    this.unnoticed.delete(client)
    await this.#options.network.trip()
    // The server keeps the session of a connection that the network has cut: its own timeout is longer than a scenario.
    if (isCut) return new Promise(() => {})
    this.#options.server.end(client.session)
  }

  /** Whether the server answers: a pool's question to an idle connection. */
  async #answers(client: SimulatedClient): Promise<boolean> {
    await this.#options.network.trip()
    if (client.state === 'cut') return new Promise(() => {})
    await this.#options.network.trip()
    return this.#options.server.sessions.has(client.session)
  }

  async queryValue(client: SimulatedClient, text: string): Promise<string | undefined> {
    await this.#options.network.trip()
    if (client.state === 'cut') return new Promise(() => {})
    if (!this.#options.server.sessions.has(client.session)) throw TERMINATED
    const answer = this.#isHostile ? await this.#runHostile(client, text) : await this.#run(client, text)
    await this.#options.network.trip()
    if (!this.#options.server.sessions.has(client.session)) throw TERMINATED
    return answer
  }

  async #run(client: SimulatedClient, text: string): Promise<string | undefined> {
    const { server } = this.#options
    if (this.#statements.isAbout(text)) return this.#statements.answer(text)
    const [, published] = /^set application_name = '(.*)'; commit$/.exec(text) ?? []
    if (text === EXCHANGE_QUERY) {
      client.unlock = await server.lock(client.session)
      const rows = server.activity(client.session).map((row) => ({ ...row, groups: null }))
      return JSON.stringify({ capacity: server.capacity, rows, parallelWorkers: 8 })
    }
    if (published !== undefined) client.session.name = published
    if (published !== undefined || text === 'rollback') client.unlock?.()
    return text.startsWith('select') ? JSON.stringify(server.capacity) : undefined
  }

  get #isHostile(): boolean {
    return this.#options.network.answers === 'made up'
  }

  /** It may run the statement, and answers with something else. */
  async #runHostile(client: SimulatedClient, text: string): Promise<string | undefined> {
    const { hostile } = this.#options
    if (hostile.coin()) await this.#run(client, text)
    return hostile.value()
  }

  probe(client: SimulatedClient): ProbeSession {
    const { hostile } = this.#options
    const ask = async () => {
      const along = (await this.queryValue(client, 'select')) ?? null
      if (!this.#isHostile) return { pid: client.pid, chosenName: '', serverName: null, along }
      const pid = hostile.coin() ? client.pid : readPid(hostile.number())
      return { pid, chosenName: '', serverName: hostile.name(), along }
    }
    const askPid = async () => (await ask()).pid
    return {
      ...{ parameters: new Map(), announcedPid: client.pid },
      ...{ identify: ask, backendPid: askPid, begin: askPid, rollback: async () => {} },
    }
  }

  /** No result of discovery is shared: each pool stands for a process. */
  peerOf(): undefined {
    return undefined
  }

  loginOf(): Login {
    return { user: ROLE, database: ROLE }
  }

  localPortOf(): undefined {
    return undefined
  }

  parameterOf({ session }: SimulatedClient, name: string): string | undefined {
    return name === 'application_name' ? session.name : undefined
  }

  healthOf(): SessionHealth {
    return new SessionHealth(new SharedHealth(), 0)
  }

  isLost({ state }: SimulatedClient): boolean {
    return state === 'lost'
  }

  awaiting({ pid }: SimulatedClient): AwaitingConnection {
    return { announcedPid: pid, isUnread: false }
  }

  breakOff(client: SimulatedClient, error: Error): void {
    const isAnswerable = client.state === 'alive' && this.#options.server.sessions.has(client.session)
    if (isAnswerable && !this.#isHostile) this.mistake = `connection ${client.pid} was given up: ${error.message}`
    this.unnoticed.delete(client)
    this.#onLost(client, error)
  }

  /** Callers open none here. */
  isInTransaction(): boolean {
    return false
  }

  async openConsole(): Promise<PoolerConsole> {
    const { network, hostile } = this.#options
    await network.trip()
    if (!this.#isHostile) throw new Error('there is no pooler')
    return {
      ...{ user: ROLE, applicationName: undefined, closed: new Promise(() => {}) },
      show: async (what) => {
        await network.trip()
        return hostile.shown(what)
      },
      [Symbol.asyncDispose]: async () => {},
    }
  }
}
