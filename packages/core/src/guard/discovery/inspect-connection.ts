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
import type { DiscoveryResult } from './discover-topology.ts'
import { pgpoolVersion } from './identify-pgpool.ts'

/** Short, because a caller waits for this connection, and a pooler without a free server connection does not answer at all. */
const ANSWER_TIMEOUT_MILLIS = 1_000

/** Returns JSON text, which parsers and transforms of the user cannot change. */
const CAPACITY = `(select pg_catalog.row_to_json(capacity)::pg_catalog.text from (${CAPACITY_QUERY}) capacity)`

/** The result of inspecting one connection. */
export interface Inspection extends DiscoveryResult {
  /** False for a pooler whose mode only a second connection can detect; the topology then assumes transaction mode. */
  readonly conclusive: boolean
  /** False while an answer on the connection is outstanding. */
  readonly answered: boolean
  /** The error, if the inspection failed. */
  readonly error: unknown
}

export interface InspectionOptions {
  /** The topology that the user stated. */
  readonly given: Topology | undefined
  /** Ignore results that other pools of this process have stored. */
  readonly refresh: boolean
  /** Whether to look for a Pgpool-II, which looks like PostgreSQL. */
  readonly identifiesPgpool: boolean
  /** The pool's max allows no second connection, so this connection has to detect the pooler's mode. */
  readonly alone: boolean
}

/**
 * Inspects the server with one connection before a caller gets it: one round trip, including the limits. If a pooler does not
 * announce itself, `alone` takes a few more. Never rejects.
 */
export async function inspectConnection<C>(
  driver: GuardedDriver<C>,
  connection: C,
  { given, refresh, identifiesPgpool, alone }: InspectionOptions,
): Promise<Inspection> {
  const peer = driver.peerOf(connection)
  if (refresh && peer !== undefined) forgetTopology(peer)
  const session = driver.probe(connection)
  const announced = announcedPooler(session.parameters)
  const known: Topology | undefined = given ?? recall(peer) ?? announced
  const base = {
    peer,
    pgpool: undefined,
    capacity: undefined,
    capacityProblem: undefined,
    conclusive: true,
    answered: true,
    error: undefined,
  }
  try {
    const ask = async () => {
      const answer = await (known
        ? refresh && known === announced
          ? confirm(session, known)
          : askCapacity(driver, connection, known)
        : identify(session))
      const mayBePgpool = identifiesPgpool && answer.topology.kind === 'direct'
      return { ...answer, pgpool: mayBePgpool ? await pgpoolVersion(driver, connection) : undefined }
    }
    const { topology, along, pgpool } = await withTimeout(ask(), ANSWER_TIMEOUT_MILLIS, () => new AnswerTimeout())
    const limits = readLimits(along)
    const conclusive = known !== undefined || topology.kind === 'direct'
    if (!conclusive && alone) return { ...base, ...limits, ...(await detectAlone(peer, session)) }
    if (conclusive && !given) remember(peer, topology)
    return { ...base, ...limits, topology, pgpool, conclusive }
  } catch (error) {
    return { ...base, topology: known ?? unknown(session, error), answered: !(error instanceof AnswerTimeout), error }
  }
}

/** Invalid limits do not prevent the pool from using the server. */
function readLimits(along: string | null | undefined): Pick<DiscoveryResult, 'capacity' | 'capacityProblem'> {
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
  /** The limits as JSON; undefined if the role cannot read them. */
  readonly along: string | null | undefined
}

/** A role that cannot read the limits can still use the pool. */
async function askCapacity<C>(driver: GuardedDriver<C>, connection: C, topology: Topology): Promise<Answer> {
  const along = await driver.queryValue(connection, `select ${CAPACITY}`).catch(() => undefined)
  return { topology, along }
}

/** Checks whether the pooler still keeps prepared statements: its announcement at login may be outdated. */
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
): Promise<Pick<Inspection, 'topology' | 'answered'>> {
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
  const seen = error instanceof AnswerTimeout ? error.message : describeProbeFailure(error)
  return { kind: 'unknown', server, preparedStatements: 'unknown', evidence: [seen] }
}

class AnswerTimeout extends Error {
  static {
    AnswerTimeout.prototype.name = 'AnswerTimeout'
  }

  constructor() {
    super(`the server did not answer on the first connection within ${ANSWER_TIMEOUT_MILLIS} ms`)
  }
}
