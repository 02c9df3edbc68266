import type { SimulatedServer } from '../../../packages/core/src/fleet/testing/simulated-server.ts'
import type { RunningQuery } from '../../../packages/core/src/pool/index.ts'
import type { SimulatedClient } from './simulated-client.ts'
import { type SimulatedNetwork, TERMINATED } from './simulated-network.ts'

const CLUSTER = '7714069031747384386'
/** As `IDLE_SECONDS` of the pool's question. */
const IDLE_MILLIS = 4_000

/** What the server knows about a session. */
interface Backend {
  readonly client: SimulatedClient
  readonly startedAt: number
  isWorking: boolean
  changedAt: number
}

/** A statement that a client has sent. */
interface Statement extends RunningQuery {
  readonly fail: (error: Error) => void
}

interface SimulatedStatementsOptions {
  readonly server: SimulatedServer
  readonly network: SimulatedNetwork
}

/** The statements of one process's clients, and what the server's pg_stat_activity shows of them. */
export class SimulatedStatements {
  readonly #options: SimulatedStatementsOptions
  readonly #backends = new Map<number, Backend>()
  readonly #statements = new Map<SimulatedClient, Statement>()
  readonly #answered = new WeakMap<SimulatedClient, number>()

  constructor(options: SimulatedStatementsOptions) {
    this.#options = options
  }

  get unanswered(): number {
    return this.#statements.size
  }

  onLogin(client: SimulatedClient): void {
    const now = this.#now
    this.#backends.set(client.pid, { client, startedAt: now, isWorking: false, changedAt: now })
  }

  async run(client: SimulatedClient, millis: number): Promise<void> {
    const { promise: failed, reject: fail } = Promise.withResolvers<never>()
    const statement = { key: {}, describe: () => 'select', fail }
    this.#statements.set(client, statement)
    try {
      await Promise.race([this.#answer(client, millis), failed])
    } finally {
      this.#statements.delete(client)
      this.#answered.set(client, this.activity(client) + 1)
    }
  }

  async #answer(client: SimulatedClient, millis: number): Promise<void> {
    await this.#arrives(client)
    this.#change(client, true)
    await this.#options.server.clock.sleep(millis)
    this.#change(client, false)
    await this.#arrives(client)
  }

  /** Never resolves if the network has cut the connection meanwhile. */
  async #arrives(client: SimulatedClient): Promise<void> {
    await this.#options.network.trip()
    if (client.state === 'cut') return new Promise(() => {})
    if (!this.#options.server.sessions.has(client.session)) throw TERMINATED
  }

  #change({ pid }: SimulatedClient, isWorking: boolean): void {
    const backend = this.#backends.get(pid)
    if (backend) Object.assign(backend, { isWorking, changedAt: this.#now })
  }

  fail(client: SimulatedClient, error: Error): void {
    this.#statements.get(client)?.fail(error)
  }

  running(client: SimulatedClient): RunningQuery | undefined {
    return this.#statements.get(client)
  }

  activity(client: SimulatedClient): number {
    return this.#answered.get(client) ?? 0
  }

  /** Whether a query asks for the server's run, and perhaps for its sessions, or ends some of them. */
  isAbout(text: string): boolean {
    return text.includes('pg_postmaster_start_time') || text.includes('pg_terminate_backend')
  }

  answer(text: string): string {
    const [, pids = ''] = /'\{([\d,]+)\}'::pg_catalog\.int8/.exec(text) ?? []
    const backends = pids.split(',').flatMap((pid) => this.#alive(Number(pid)) ?? [])
    if (text.includes('pg_terminate_backend')) {
      const idle = backends.filter((backend) => this.#isIdle(backend))
      for (const { client } of idle) this.#options.server.end(client.session)
      return String(idle.length)
    }
    const run = `${CLUSTER} f 2026-12-01 00:00:00.${this.#options.server.startedAt}`
    if (!text.includes('pg_stat_activity')) return run
    const rows = backends.map((backend) => {
      const seconds = (this.#now - backend.startedAt) / 1_000
      return `${backend.client.pid}|${seconds}|${this.#isIdle(backend) ? 't' : 'f'}`
    })
    return `${run};${rows.join(',')}`
  }

  #alive(pid: number): Backend | undefined {
    const backend = this.#backends.get(pid)
    return backend && this.#options.server.sessions.has(backend.client.session) ? backend : undefined
  }

  #isIdle({ isWorking, changedAt }: Backend): boolean {
    return !isWorking && this.#now - changedAt > IDLE_MILLIS
  }

  get #now(): number {
    return this.#options.server.clock.now()
  }
}
