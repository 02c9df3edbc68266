import type { Identity, ProbeSession, ProbeSource } from '../probe.ts'
import type { PoolMode } from '../topology.ts'

export interface SimulationOptions {
  readonly mode: PoolMode | 'direct'
  /** The number of server connections of the pooler. */
  readonly poolSize?: number
  /** Whether it assigns the server that has been free longest, instead of the most recently used one. */
  readonly roundRobin?: boolean
  /** Whether it renames prepared statements. */
  readonly renames?: boolean
  /** The maximum number of clients. */
  readonly clients?: number
}

/** A call of a session. */
export type Question = 'identify' | 'backendPid' | 'begin' | 'rollback'

/**
 * Simulates PgBouncer for the detection: clients get free server connections in order, and keep them for
 * a statement, a transaction or their session. It records forbidden calls of a probe in `misuses`.
 */
export class SimulatedPooler implements ProbeSource {
  readonly options: Required<SimulationOptions>
  readonly sessions: SimulatedSession[] = []
  readonly misuses: string[] = []
  /** Called before each question is answered. If it throws, the question fails with its error. */
  onQuestion: (session: SimulatedSession, question: Question) => void | Promise<void> = () => {}
  #free: number[]
  #queue: ((pid: number) => void)[] = []

  constructor(options: SimulationOptions) {
    this.options = { poolSize: 2, roundRobin: false, renames: true, clients: Infinity, ...options }
    this.#free = Array.from({ length: this.options.poolSize }, (_, index) => 100 + index)
  }

  async open(): Promise<SimulatedSession | undefined> {
    if (this.sessions.length >= this.options.clients) return undefined
    const session = new SimulatedSession(this, this.sessions.length)
    this.sessions.push(session)
    return session
  }

  done(session: SimulatedSession, options: { readonly abandon: boolean }): void {
    session.done(options)
  }

  /** Resolves to a server connection when it is this client's turn. */
  take(): Promise<number> {
    const pid = this.options.roundRobin ? this.#free.shift() : this.#free.pop()
    if (pid !== undefined) return Promise.resolve(pid)
    return new Promise((resolve) => this.#queue.push(resolve))
  }

  give(pid: number): void {
    const next = this.#queue.shift()
    if (next) next(pid)
    else this.#free.push(pid)
  }

  /** Another application takes all free server connections. The returned function gives them back. */
  occupy(): () => void {
    const taken = this.#free.splice(0)
    return () => {
      for (const pid of taken) this.give(pid)
    }
  }

  /** Simulates this many busy clients of other applications, until the returned function is called. */
  load(clients: number): () => void {
    let stopped = false
    const work = async () => {
      while (!stopped) {
        const pid = await this.take()
        await turn()
        this.give(pid)
        await turn()
      }
    }
    for (let client = 0; client < clients; client++) void work()
    return () => {
      stopped = true
    }
  }
}

export class SimulatedSession implements ProbeSession {
  readonly parameters: ReadonlyMap<string, string> = new Map()
  readonly announcedPid: number
  readonly index: number
  abandoned: boolean | undefined
  readonly #pooler: SimulatedPooler
  #serverPid: number | undefined
  #outstanding = 0
  #inTransaction = false

  constructor(pooler: SimulatedPooler, index: number) {
    this.#pooler = pooler
    this.index = index
    this.announcedPid = 9_000 + index
    if (pooler.options.mode === 'direct') this.#serverPid = this.announcedPid
  }

  async identify(): Promise<Identity> {
    const pid = await this.#ask('identify')
    const serverName = this.#pooler.options.renames ? 'PGBOUNCER_1' : 'probe'
    return { pid, chosenName: 'probe', serverName, along: null }
  }

  backendPid(): Promise<number> {
    return this.#ask('backendPid')
  }

  begin(): Promise<number> {
    return this.#ask('begin')
  }

  async rollback(): Promise<void> {
    await this.#ask('rollback')
  }

  done({ abandon }: { readonly abandon: boolean }): void {
    if (this.abandoned !== undefined) this.#pooler.misuses.push('done with twice')
    if (this.#outstanding > 0 && !abandon) this.#pooler.misuses.push('given back with an answer outstanding')
    if (this.#inTransaction && !abandon) this.#pooler.misuses.push('given back in a transaction')
    this.abandoned = abandon
    if (this.#outstanding === 0) this.#releaseServer()
  }

  async #ask(question: Question): Promise<number> {
    const { options, misuses } = this.#pooler
    if (this.#outstanding > 0) misuses.push('asked with an answer outstanding')
    if (this.abandoned !== undefined) misuses.push('asked after it was done with')
    this.#outstanding++
    try {
      await this.#pooler.onQuestion(this, question)
    } catch (error) {
      this.#outstanding--
      throw error
    }
    this.#serverPid ??= await this.#pooler.take()
    const pid = this.#serverPid
    await turn()
    this.#outstanding--
    const isRejected = question === 'begin' && options.mode === 'statement'
    if (question === 'begin' && !isRejected) this.#inTransaction = true
    if (question === 'rollback') this.#inTransaction = false
    const keeps = options.mode === 'session' || options.mode === 'direct' || this.#inTransaction
    if (!keeps || this.abandoned !== undefined) this.#releaseServer()
    if (isRejected) throw new Error('transaction blocks not allowed in statement pooling mode')
    return pid
  }

  #releaseServer(): void {
    const pid = this.#serverPid
    this.#serverPid = undefined
    this.#inTransaction = false
    if (pid !== undefined && this.#pooler.options.mode !== 'direct') this.#pooler.give(pid)
  }
}

/** One turn of the event loop, the duration of an answer. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
