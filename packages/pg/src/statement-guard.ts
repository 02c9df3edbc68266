import {
  describeTopology,
  type Finding,
  keepsSession,
  PoolguardError,
  StatementLint,
  type Topology,
} from '@poolguard/core'
import type { QueryConfig } from 'pg'
import type { WireClient } from './wire-client.ts'

/** What becomes of a statement that relies on a session which the pooler does not keep. */
export type LintMode = 'warn' | 'throw' | 'off'

/** What in a statement relies on the session, why that fails, and what to write instead. */
export type Reliance = Pick<Finding, 'construct' | 'why' | 'instead'>

/** A statement relies on the session, and the pooler in between does not keep that. It was not sent. */
export class SessionStateError extends PoolguardError {
  readonly code = 'POOLGUARD_SESSION_STATE'
  readonly finding: Reliance

  constructor(finding: Reliance, topology: Topology) {
    super(describeFinding(finding, topology))
    this.finding = finding
  }
}

const NAMED_STATEMENT: Reliance = {
  construct: 'a named statement',
  why: 'The pooler does not keep track of names: the next transaction may run on a server connection where the name is unknown (26000), taken (42P05), or the statement of another client.',
  instead: 'No name, or PgBouncer 1.21 and later with max_prepared_statements above 0.',
}

/** Enough for every construct that one app may use; after that, warnings may be told again. */
const MOST_CONSTRUCTS = 1_000

/** Reads what is sent, where the session is not kept from one transaction to the next. Until that is known it does nothing. */
export class StatementGuard {
  readonly #mode: LintMode
  readonly #warn: (message: string) => void
  readonly #warned = new Set<string>()
  #lint: StatementLint | undefined
  #topology: Topology | undefined
  /** Constructs that were warned about or refused so far, each counted once for each text. */
  findings = 0

  constructor(mode: LintMode, warn: (message: string) => void) {
    this.#mode = mode
    this.#warn = warn
  }

  adopt(topology: Topology): void {
    this.#topology = topology
    const needed = this.#mode !== 'off' && !keepsSession(topology)
    this.#lint = needed ? (this.#lint ?? new StatementLint()) : undefined
  }

  /** False where it is known that nothing of a session is kept, so that there is nothing in it to reset. */
  get keepsSession(): boolean {
    return this.#topology === undefined || keepsSession(this.#topology)
  }

  /** Reads every query of a client before it is sent. */
  watch(client: WireClient): void {
    const send = client.query as (...query: unknown[]) => unknown
    const query = (...args: unknown[]): unknown => {
      const refusal = this.#lint && this.#read(this.#lint, args[0])
      return refusal ? refuse(refusal, args) : send.apply(client, args)
    }
    Object.defineProperty(client, 'query', { value: query, configurable: true, writable: true })
  }

  #read(lint: StatementLint, query: unknown): SessionStateError | undefined {
    const { text, name } =
      typeof query === 'string' ? { text: query, name: undefined } : (query as Partial<QueryConfig>)
    if (typeof text !== 'string') return undefined
    const findings: readonly Reliance[] =
      name && this.#topology?.preparedStatements !== 'safe'
        ? [NAMED_STATEMENT]
        : this.#mode === 'throw'
          ? lint.everySight(text)
          : lint.firstSight(text)
    return findings.length === 0 ? undefined : this.#report(findings)
  }

  #report(findings: readonly Reliance[]): SessionStateError | undefined {
    this.findings += findings.length
    const [first] = findings
    const topology = this.#topology
    if (!first || !topology) return undefined
    if (this.#mode === 'throw') return new SessionStateError(first, topology)
    for (const finding of findings) {
      if (this.#warned.has(finding.construct)) continue
      if (this.#warned.size >= MOST_CONSTRUCTS) this.#warned.clear()
      this.#warned.add(finding.construct)
      this.#warn(describeFinding(finding, topology))
    }
    return undefined
  }
}

function describeFinding({ construct, why, instead }: Reliance, topology: Topology): string {
  return `${construct} relies on the session, but at the other end is ${describeTopology(topology)}. ${why} Instead: ${instead}`
}

/** Fails a query in the style in which it was sent. */
function refuse(error: Error, [query, ...rest]: readonly unknown[]): Promise<never> | undefined {
  const { callback, handleError } = query as { callback?: unknown; handleError?: (error: Error) => void }
  const done = [...rest, callback].find((each) => typeof each === 'function') as ((error: Error) => void) | undefined
  if (done) process.nextTick(done, error)
  else if (handleError) process.nextTick(() => handleError.call(query, error))
  else return Promise.reject(error)
  return undefined
}
