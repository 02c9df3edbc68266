import { CAPACITY_QUERY, parseCapacity } from '../../budget/index.ts'
import { withTimeout } from '../../clock.ts'
import { InvalidAnswerError } from '../../invalid-answer-error.ts'
import {
  announcedPooler,
  describeProbeFailure,
  detectTopology,
  forgetTopology,
  judgeIdentity,
  type ProbeSession,
  recallTopology,
  rememberTopology,
  serverVersion,
  type Topology,
} from '../../topology/index.ts'
import type { GuardedDriver } from '../guarded-driver.ts'
import type { Survey } from './discover-topology.ts'

/** A caller waits for this connection. A pooler without a free server does not answer at all. */
const ANSWER_MILLIS = 1_000

/** As one text, which no parser or transform of the user's can change. */
const CAPACITY = `(select pg_catalog.row_to_json(capacity)::pg_catalog.text from (${CAPACITY_QUERY}) capacity)`

/** What one connection shows of its other end. */
export interface FirstLook extends Survey {
  /** False where a pooler stands in between whose mode takes a second connection to find out. Transaction mode is assumed then. */
  readonly conclusive: boolean
  /** False where the connection still owes an answer. */
  readonly answered: boolean
  /** What the connection answered instead, where it showed nothing. */
  readonly error: unknown
}

export interface FirstLookOptions {
  /** What the user has said is at the other end. */
  readonly given: Topology | undefined
  /** Look again, whatever another pool of this process has found. */
  readonly afresh: boolean
  /** The pool may open no second connection, so that this one has to tell what it can. */
  readonly alone: boolean
}

/**
 * Looks at the other end with one connection that no caller has yet: one round trip, capacity included. Behind a pooler
 * that does not announce itself, `alone` takes a few more. Rejects never.
 */
export async function lookFirst<C>(
  driver: GuardedDriver<C>,
  connection: C,
  { given, afresh, alone }: FirstLookOptions,
): Promise<FirstLook> {
  const peer = driver.peerOf(connection)
  if (afresh && peer !== undefined) forgetTopology(peer)
  const session = driver.probe(connection)
  const announced = announcedPooler(session.parameters)
  const known: Topology | undefined = given ?? recall(peer) ?? announced
  const look = {
    peer,
    capacity: undefined,
    capacityProblem: undefined,
    conclusive: true,
    answered: true,
    error: undefined,
  }
  try {
    const answer = known
      ? afresh && known === announced
        ? confirm(session, known)
        : askCapacity(driver, connection, known)
      : identify(session)
    const { topology, along } = await withTimeout(answer, ANSWER_MILLIS, () => new Unanswered())
    const limits = readLimits(along)
    const conclusive = known !== undefined || topology.kind === 'direct'
    if (!conclusive && alone) return { ...look, ...limits, ...(await detectAlone(peer, session)) }
    if (conclusive && !given) remember(peer, topology)
    return { ...look, ...limits, topology, conclusive }
  } catch (error) {
    return { ...look, topology: known ?? unknown(session, error), answered: !(error instanceof Unanswered), error }
  }
}

/** A server that tells nonsense of its limits can still be borrowed from. */
function readLimits(along: string | null | undefined): Pick<Survey, 'capacity' | 'capacityProblem'> {
  try {
    return { capacity: along ? parseCapacity(along) : undefined, capacityProblem: undefined }
  } catch (error) {
    if (!(error instanceof InvalidAnswerError)) throw error
    return { capacity: undefined, capacityProblem: error.problem }
  }
}

function recall(peer: string | undefined): Topology | undefined {
  return peer === undefined ? undefined : recallTopology(peer)
}

function remember(peer: string | undefined, topology: Topology): void {
  if (peer !== undefined) rememberTopology(peer, topology)
}

interface Answer {
  readonly topology: Topology
  /** The capacity, as JSON; undefined where it cannot be read. */
  readonly along: string | null | undefined
}

/** A role that cannot read the capacity can still borrow. */
async function askCapacity<C>(driver: GuardedDriver<C>, connection: C, topology: Topology): Promise<Answer> {
  const along = await driver.ask(connection, `select ${CAPACITY}`).catch(() => undefined)
  return { topology, along }
}

/** What a pooler announced when this connection logged in may have changed since: whether it keeps names is seen. */
async function confirm(session: ProbeSession, announced: Topology): Promise<Answer> {
  const { topology, along } = await identify(session)
  const { preparedStatements, evidence } = topology
  if (preparedStatements !== 'unsafe') return { topology: announced, along }
  return { topology: { ...announced, preparedStatements, evidence: [...announced.evidence, ...evidence] }, along }
}

async function identify(session: ProbeSession): Promise<Answer> {
  const identity = await session.identify(CAPACITY).catch(() => session.identify())
  return { topology: judgeIdentity(session, identity), along: identity.along }
}

async function detectAlone(
  peer: string | undefined,
  session: ProbeSession,
): Promise<Pick<FirstLook, 'topology' | 'answered'>> {
  let answered = true
  let handedOut = false
  const open = async () => {
    if (handedOut) return undefined
    handedOut = true
    return session
  }
  const done = (_: ProbeSession, { abandon }: { readonly abandon: boolean }) => {
    answered = !abandon
  }
  const topology = await detectTopology({ open, done })
  remember(peer, topology)
  return { topology, answered }
}

function unknown({ parameters }: ProbeSession, error: unknown): Topology {
  const server = { version: serverVersion(parameters) }
  const seen = error instanceof Unanswered ? error.message : describeProbeFailure(error)
  return { kind: 'unknown', server, preparedStatements: 'unknown', evidence: [seen] }
}

class Unanswered extends Error {
  static {
    Unanswered.prototype.name = 'Unanswered'
  }

  constructor() {
    super(`the first connection was not answered within ${ANSWER_MILLIS} ms`)
  }
}
