import { systemClock, withTimeout } from '../clock.ts'
import { announcedPooler, judgeIdentity, serverVersion } from './judge-identity.ts'
import { describeProbeFailure, type ProbeSession, type ProbeSource } from './probe.ts'
import type { PoolerTopology, PoolMode, PreparedStatements, Topology } from './topology.ts'

export interface DetectOptions {
  /** Bound on the whole detection, in milliseconds. */
  readonly timeoutMillis?: number
  /** Between 0 and 1, as Math.random. */
  readonly random?: () => number
}

const TIMEOUT_MILLIS = 2_000
/** A pooler with a free server connection answers well within this share of the time; one without does not at all. */
const PATIENCE_SHARE = 0.5
/** PgBouncer's refusal is short, and a server may say anything of any length. */
const MAX_MESSAGE_LENGTH = 4_096
/** Rounds of asking both connections for their backend, when nothing has told the mode before. */
const SAMPLES = 12

/**
 * Finds out what is at the other end from what two plain connections see; no administrator's rights are needed, and
 * nothing is left behind. Never rejects: what cannot be found out is `unknown`, with the reason in the evidence.
 *
 * - PgBouncer from 1.26 says at login what it is: no round trip.
 * - A server announces the pid of its backend at login, a pooler makes one up: one round trip tells them apart.
 * - A backend shared by two live connections, or changed under one, proves transaction mode.
 * - A second connection left waiting for a server while the first is served twice speaks for session mode. It would prove
 *   it if both were sure to have met the same process, and several can listen on one address (so_reuseport, or a load
 *   balancer in front of them).
 *
 * `direct` and `statement` are always proven; `transaction` may be assumed, as the mode in which the least works, where the
 * pooler is certain and no more can be had; `session` is proven only where the pooler says so itself.
 */
export async function detectTopology(source: ProbeSource, options: DetectOptions = {}): Promise<Topology> {
  const detection = new Detection(source, options)
  try {
    return await detection.run()
  } catch (error) {
    return detection.failed(error instanceof Unanswered ? error.message : describeProbeFailure(error))
  } finally {
    detection.finish()
  }
}

/** A probe that was not answered in time. Its connection has an answer outstanding and is of no further use. */
class Unanswered extends Error {
  static {
    Unanswered.prototype.name = 'Unanswered'
  }
}

class Detection {
  readonly #source: ProbeSource
  readonly #deadline: number
  readonly #patienceMillis: number
  readonly #random: () => number
  readonly #evidence: string[] = []
  readonly #sessions: Observed[] = []
  #preparedStatements: PreparedStatements = 'unknown'
  #poolerFound = false
  #version: string | null = null

  constructor(source: ProbeSource, { timeoutMillis = TIMEOUT_MILLIS, random = Math.random }: DetectOptions) {
    this.#source = source
    this.#random = random
    this.#deadline = systemClock.now() + timeoutMillis
    this.#patienceMillis = timeoutMillis * PATIENCE_SHARE
  }

  async run(): Promise<Topology> {
    const first = await this.#open('A')
    if (!first) return this.failed('no connection to probe with')
    this.#version = serverVersion(first.session.parameters)
    const announced = announcedPooler(first.session.parameters)
    if (announced) return announced

    const identity = await this.#answer(first, first.session.identify())
    const judged = judgeIdentity(first.session, identity)
    if (judged.kind === 'direct') return judged
    for (const seen of judged.evidence) this.#note(seen)
    first.saw(identity.pid)
    this.#poolerFound = true
    this.#preparedStatements = judged.preparedStatements
    return this.#tellMode(first)
  }

  async #tellMode(first: Observed): Promise<Topology> {
    await this.#sample(first)
    if (this.#provesTransaction()) return this.#pooled(await this.#transactionOrStatement(first), true)
    const second = await this.#open('B')
    if (!second) return this.#assumed('no second connection to compare with')
    const begun = await this.#beginOn(second, first)
    if (begun !== 'begun') return begun
    if (this.#provesTransaction()) return this.#pooled('transaction', true)
    for (let round = 0; round < SAMPLES && systemClock.now() < this.#deadline; round++) {
      await Promise.all(pickSome([first, second], this.#random).map((observed) => this.#sample(observed)))
      if (this.#provesTransaction()) return this.#pooled('transaction', true)
    }
    this.#note(`nothing spoke against session mode, and nothing proved it`)
    return this.#pooled('session', false)
  }

  /** Opens and ends a transaction on the second connection. What becomes of that may already be the verdict. */
  async #beginOn(second: Observed, first: Observed): Promise<'begun' | Topology> {
    const begin = second.session.begin()
    let servedLate = false
    try {
      second.saw(await this.#answer(second, begin))
      await this.#answer(second, second.session.rollback())
      return 'begun'
    } catch (error) {
      if (refusesTransactions(error)) {
        this.#note('a transaction was refused')
        return this.#pooled('statement', true)
      }
      if (!(error instanceof Unanswered)) throw error
      const late = () => {
        servedLate = true
      }
      begin.then(late, late)
    }
    await this.#sample(first)
    if (this.#provesTransaction()) return this.#pooled(await this.#transactionOrStatement(first), true)
    // Who shares servers gets them in turn: the second, which asked earlier, would have been served before the first. Its
    // answer may be on its way still, and has arrived when another question has been answered.
    await this.#sample(first)
    if (servedLate) return this.#assumed('a second connection was served late')
    this.#note('a second connection waited for a server while the first was served')
    return this.#pooled('session', false)
  }

  async #transactionOrStatement(first: Observed): Promise<PoolMode> {
    try {
      await this.#answer(first, first.session.begin())
      await this.#answer(first, first.session.rollback())
      return 'transaction'
    } catch (error) {
      if (!refusesTransactions(error)) throw error
      this.#note('a transaction was refused')
      return 'statement'
    }
  }

  async #sample(observed: Observed): Promise<void> {
    observed.saw(await this.#answer(observed, observed.session.backendPid()))
  }

  #provesTransaction(): boolean {
    const changed = this.#sessions.find(({ pids }) => pids.size > 1)
    if (changed)
      this.#note(`connection ${changed.name} was served by several backends (${[...changed.pids].join(', ')})`)
    const [a, b] = this.#sessions
    const shared = [...(a?.pids ?? [])].find((pid) => b?.pids.has(pid))
    if (shared !== undefined) this.#note(`both connections were served by the backend ${shared}`)
    return changed !== undefined || shared !== undefined
  }

  #pooled(mode: PoolMode, proven: boolean): PoolerTopology {
    // In session mode, if it is that, a statement stays with its session, whatever the pooler does about names.
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

  /** What to go by when the pooler is certain and its mode is not: the mode in which the least works. */
  #assumed(reason: string): Topology {
    this.#note(`${reason}: transaction mode is assumed`)
    return this.#pooled('transaction', false)
  }

  /** The verdict when a probe went wrong. */
  failed(reason: string): Topology {
    if (this.#poolerFound) return this.#assumed(reason)
    this.#note(reason)
    return { kind: 'unknown', server: this.#server, preparedStatements: 'unknown', evidence: this.#evidence }
  }

  get #server(): { version: string | null } {
    return { version: this.#version }
  }

  finish(): void {
    for (const { session, abandoned } of this.#sessions) this.#source.done(session, { abandon: abandoned })
  }

  #note(seen: string): void {
    this.#evidence.push(seen)
  }

  async #open(name: string): Promise<Observed | undefined> {
    const session = await this.#source.open()
    if (!session) return undefined
    const observed = new Observed(name, session)
    this.#sessions.push(observed)
    return observed
  }

  async #answer<T>(observed: Observed, answer: Promise<T>): Promise<T> {
    const patience = Math.max(1, Math.min(this.#patienceMillis, this.#deadline - systemClock.now()))
    const silence = () =>
      new Unanswered(`connection ${observed.name} was not answered within ${Math.round(patience)} ms`)
    observed.abandoned = true
    const value = await withTimeout(answer, patience, silence)
    observed.abandoned = false
    return value
  }
}

/** A probe connection and the backends that were seen behind it. */
class Observed {
  readonly name: string
  readonly session: ProbeSession
  readonly pids = new Set<number>()
  /** An answer is outstanding, or was not what it should have been: who knows in which state the connection is. */
  abandoned = false

  constructor(name: string, session: ProbeSession) {
    this.name = name
    this.session = session
  }

  saw(pid: number): void {
    this.pids.add(pid)
  }
}

function refusesTransactions(error: unknown): boolean {
  return error instanceof Error && error.message.slice(0, MAX_MESSAGE_LENGTH).includes('statement pooling')
}

/** One of the two, or both, at random: a pooler that takes turns must not fall into step with us. */
function pickSome<T>(both: readonly [T, T], random: () => number): readonly T[] {
  const dice = random()
  if (dice < 0.4) return [both[0]]
  if (dice < 0.8) return [both[1]]
  return both
}
