import { systemClock, withTimeout } from '../clock.ts'
import { announcedPooler, judgeIdentity, serverVersion } from './judge-identity.ts'
import { describeProbeFailure, type ProbeSession, type ProbeSource } from './probe.ts'
import type { PoolerTopology, PoolMode, PreparedStatements, Topology } from './topology.ts'

export interface DetectOptions {
  /** Bound on the whole detection, in milliseconds. */
  readonly timeoutMillis?: number
  /** A number between 0 and 1, like Math.random. */
  readonly random?: () => number
}

const TIMEOUT_MILLIS = 2_000
/** A pooler with a free server connection answers well within this share of the timeout; without one it does not answer at all. */
const ANSWER_TIMEOUT_SHARE = 0.5
/** PgBouncer's error is short, and a server may send messages of any length. */
const MAX_MESSAGE_LENGTH = 4_096
/** How often the detection queries both connections for their backend if the mode is still unknown. */
const MAX_ROUNDS = 12

/**
 * Detects the topology with two ordinary connections. It needs no administrator's rights and leaves nothing
 * behind. Never rejects: if the detection fails, the topology is `unknown`, with the reason in the evidence.
 *
 * - PgBouncer from 1.26 on identifies itself at login: no round trip.
 * - A server announces the pid of its backend at login, a pooler makes one up: one round trip distinguishes them.
 * - If two live connections share a backend, or the backend of one connection changes, it is transaction mode.
 * - If the second connection waits for a server while the first is served twice, it is probably session mode. This is no proof,
 *   because the connections may have reached different processes: several can listen on one address (so_reuseport, or a load
 *   balancer).
 *
 * `direct` and `statement` are always proven. `transaction` is assumed, as the more restrictive mode, if a pooler is certain but its
 * mode is not. `session` is proven only if the pooler announces it.
 */
export async function detectTopology(source: ProbeSource, options: DetectOptions = {}): Promise<Topology> {
  const detection = new Detection(source, options)
  try {
    return await detection.run()
  } catch (error) {
    return detection.verdictAfterFailure(error instanceof ProbeTimeout ? error.message : describeProbeFailure(error))
  } finally {
    detection.finish()
  }
}

/** A probe timed out. Its connection still has an outstanding answer and must not be used again. */
class ProbeTimeout extends Error {
  static {
    ProbeTimeout.prototype.name = 'ProbeTimeout'
  }
}

class Detection {
  readonly #source: ProbeSource
  readonly #deadline: number
  readonly #answerTimeoutMillis: number
  readonly #random: () => number
  readonly #evidence: string[] = []
  readonly #connections: ProbedConnection[] = []
  #preparedStatements: PreparedStatements = 'unknown'
  #poolerFound = false
  #version: string | null = null

  constructor(source: ProbeSource, { timeoutMillis = TIMEOUT_MILLIS, random = Math.random }: DetectOptions) {
    this.#source = source
    this.#random = random
    this.#deadline = systemClock.now() + timeoutMillis
    this.#answerTimeoutMillis = timeoutMillis * ANSWER_TIMEOUT_SHARE
  }

  async run(): Promise<Topology> {
    const first = await this.#open('A')
    if (!first) return this.verdictAfterFailure('no connection to probe with')
    this.#version = serverVersion(first.session.parameters)
    const announced = announcedPooler(first.session.parameters)
    if (announced) return announced

    const identity = await this.#answer(first, first.session.identify())
    const judged = judgeIdentity(first.session, identity)
    if (judged.kind === 'direct') return judged
    for (const each of judged.evidence) this.#note(each)
    first.pids.add(identity.pid)
    this.#poolerFound = true
    this.#preparedStatements = judged.preparedStatements
    return this.#detectMode(first)
  }

  async #detectMode(first: ProbedConnection): Promise<Topology> {
    await this.#sample(first)
    if (this.#provesTransaction()) return this.#poolerVerdict(await this.#transactionOrStatement(first), true)
    const second = await this.#open('B')
    if (!second) return this.#assumeTransactionMode('no second connection to compare with')
    const begun = await this.#beginOn(second, first)
    if (begun !== 'begun') return begun
    if (this.#provesTransaction()) return this.#poolerVerdict('transaction', true)
    for (let round = 0; round < MAX_ROUNDS && systemClock.now() < this.#deadline; round++) {
      await Promise.all(pickSome([first, second], this.#random).map((connection) => this.#sample(connection)))
      if (this.#provesTransaction()) return this.#poolerVerdict('transaction', true)
    }
    this.#note('no sign of transaction mode, and no proof of session mode')
    return this.#poolerVerdict('session', false)
  }

  /** Begins and ends a transaction on the second connection, which may already determine the verdict. */
  async #beginOn(second: ProbedConnection, first: ProbedConnection): Promise<'begun' | Topology> {
    const begin = second.session.begin()
    let servedLate = false
    try {
      second.pids.add(await this.#answer(second, begin))
      await this.#answer(second, second.session.rollback())
      return 'begun'
    } catch (error) {
      if (isStatementModeError(error)) {
        this.#note('the pooler rejected a transaction')
        return this.#poolerVerdict('statement', true)
      }
      if (!(error instanceof ProbeTimeout)) throw error
      const late = () => {
        servedLate = true
      }
      begin.then(late, late)
    }
    await this.#sample(first)
    if (this.#provesTransaction()) return this.#poolerVerdict(await this.#transactionOrStatement(first), true)
    // A pooler that shares servers serves requests in order, so the second connection would have been served before the first. Its
    // answer may still be on its way, and has arrived when the next one has.
    await this.#sample(first)
    if (servedLate) return this.#assumeTransactionMode('a second connection was served late')
    this.#note('a second connection waited for a server while the first was served')
    return this.#poolerVerdict('session', false)
  }

  async #transactionOrStatement(first: ProbedConnection): Promise<PoolMode> {
    try {
      await this.#answer(first, first.session.begin())
      await this.#answer(first, first.session.rollback())
      return 'transaction'
    } catch (error) {
      if (!isStatementModeError(error)) throw error
      this.#note('the pooler rejected a transaction')
      return 'statement'
    }
  }

  async #sample(connection: ProbedConnection): Promise<void> {
    connection.pids.add(await this.#answer(connection, connection.session.backendPid()))
  }

  #provesTransaction(): boolean {
    const changed = this.#connections.find(({ pids }) => pids.size > 1)
    if (changed)
      this.#note(`connection ${changed.name} was served by several backends (${[...changed.pids].join(', ')})`)
    const [a, b] = this.#connections
    const shared = [...(a?.pids ?? [])].find((pid) => b?.pids.has(pid))
    if (shared !== undefined) this.#note(`both connections were served by the backend ${shared}`)
    return changed !== undefined || shared !== undefined
  }

  #poolerVerdict(mode: PoolMode, proven: boolean): PoolerTopology {
    // If it really is session mode, a statement stays with its session, even if the pooler does not track names.
    const unsafe = mode === 'session' && this.#preparedStatements === 'unsafe'
    const preparedStatements = unsafe ? 'unknown' : this.#preparedStatements
    return {
      kind: 'pooler',
      pooler: { name: 'unknown', mode, proven },
      server: this.#server,
      preparedStatements,
      evidence: this.#evidence,
    }
  }

  /** The verdict if a pooler is certain but its mode is not: the more restrictive mode. */
  #assumeTransactionMode(reason: string): Topology {
    this.#note(`${reason}: transaction mode is assumed`)
    return this.#poolerVerdict('transaction', false)
  }

  /** The verdict after a failed probe. */
  verdictAfterFailure(reason: string): Topology {
    if (this.#poolerFound) return this.#assumeTransactionMode(reason)
    this.#note(reason)
    return { kind: 'unknown', server: this.#server, preparedStatements: 'unknown', evidence: this.#evidence }
  }

  get #server(): { version: string | null } {
    return { version: this.#version }
  }

  finish(): void {
    for (const { session, abandoned } of this.#connections) this.#source.done(session, { abandon: abandoned })
  }

  #note(evidence: string): void {
    this.#evidence.push(evidence)
  }

  async #open(name: string): Promise<ProbedConnection | undefined> {
    const session = await this.#source.open()
    if (!session) return undefined
    const connection = new ProbedConnection(name, session)
    this.#connections.push(connection)
    return connection
  }

  async #answer<T>(connection: ProbedConnection, answer: Promise<T>): Promise<T> {
    const timeoutMillis = Math.max(1, Math.min(this.#answerTimeoutMillis, this.#deadline - systemClock.now()))
    const timeoutError = () =>
      new ProbeTimeout(`no answer on connection ${connection.name} within ${Math.round(timeoutMillis)} ms`)
    connection.abandoned = true
    const value = await withTimeout(answer, timeoutMillis, timeoutError)
    connection.abandoned = false
    return value
  }
}

/** A probe connection and the backends that served it. */
class ProbedConnection {
  readonly name: string
  readonly session: ProbeSession
  readonly pids = new Set<number>()
  /** An answer is outstanding or was invalid, so the state of the connection is unknown. */
  abandoned = false

  constructor(name: string, session: ProbeSession) {
    this.name = name
    this.session = session
  }
}

function isStatementModeError(error: unknown): boolean {
  return error instanceof Error && error.message.slice(0, MAX_MESSAGE_LENGTH).includes('statement pooling')
}

/** One of the two, or both, at random, so that the probes do not align with a pooler that takes turns. */
function pickSome<T>(both: readonly [T, T], random: () => number): readonly T[] {
  const dice = random()
  if (dice < 0.4) return [both[0]]
  if (dice < 0.8) return [both[1]]
  return both
}
