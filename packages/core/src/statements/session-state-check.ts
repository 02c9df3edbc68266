import { PoolguardError } from '../poolguard-error.ts'
import { describeTopology, keepsSession, type Topology } from '../topology/index.ts'
import { opensTransaction } from './opens-transaction.ts'
import type { StatementFinding } from './statement-finding.ts'
import { StatementLint } from './statement-lint.ts'

/** What becomes of a statement that relies on a session which the pooler does not keep. */
export type SessionStateMode = 'warn' | 'throw' | 'off'

/** What in a statement relies on the session, why that fails, and what to write instead. */
export type SessionDependency = Pick<StatementFinding, 'construct' | 'why' | 'instead'>

/** A statement relies on the session, and the pooler in between does not keep that. It was not sent. */
export class SessionStateError extends PoolguardError {
  static {
    SessionStateError.prototype.name = 'SessionStateError'
  }

  readonly code = 'POOLGUARD_SESSION_STATE'
  readonly finding: SessionDependency

  constructor(finding: SessionDependency, topology: Topology) {
    super(describeReliance(finding, topology))
    this.finding = finding
  }
}

/** A statement begins a transaction through the pool itself, so that no other statement could be part of it. It was not sent. */
export class PoolTransactionError extends PoolguardError {
  static {
    PoolTransactionError.prototype.name = 'PoolTransactionError'
  }

  readonly code = 'POOLGUARD_POOL_TRANSACTION'

  constructor(advice: string) {
    super(describePoolTransaction(advice))
  }
}

const NAMED_STATEMENT: SessionDependency = {
  construct: 'a named statement',
  why: 'The pooler does not keep track of names: the next transaction may run on a server connection where the name is unknown (26000), taken (42P05), or the statement of another client.',
  instead: 'No name, or PgBouncer 1.21 and later with max_prepared_statements above 0.',
}

/** Enough for every construct that one app may use; after that, warnings may be told again. */
const MAX_CONSTRUCTS = 1_000

/** Reads what is sent, where the session is not kept from one transaction to the next. Until that is known it does nothing. */
export class SessionStateCheck {
  readonly #mode: SessionStateMode
  readonly #warn: (message: string) => void
  readonly #warned = new Set<string>()
  #warnedOfTransaction = false
  #lint: StatementLint | undefined
  #topology: Topology | undefined
  /** Constructs that were warned about or refused so far, each counted once for each text. */
  findings = 0

  constructor(mode: SessionStateMode, warn: (message: string) => void) {
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

  /** Whether statements are read at all: what runs with every query asks this first. */
  get reads(): boolean {
    return this.#lint !== undefined
  }

  /**
   * Reads a statement that is about to be sent.
   *
   * @returns the error that it is to fail with instead, in mode `throw`.
   */
  check(text: string, name?: string): SessionStateError | undefined {
    const lint = this.#lint
    if (!lint) return undefined
    const findings: readonly SessionDependency[] =
      name && this.#topology?.preparedStatements !== 'safe'
        ? [NAMED_STATEMENT]
        : this.#mode === 'throw'
          ? lint.everySight(text)
          : lint.firstSight(text)
    return findings.length === 0 ? undefined : this.#report(findings)
  }

  /**
   * Reads a statement that a caller sends through the pool itself, whatever is at the other end.
   *
   * @param advice how the driver has several statements share a connection.
   * @returns the error that it is to fail with instead, in mode `throw`.
   */
  checkAlone(text: string, advice: string): PoolTransactionError | undefined {
    if (this.#mode === 'off' || !opensTransaction(text)) return undefined
    if (this.#mode === 'throw') return new PoolTransactionError(advice)
    this.#warnOfTransaction(advice)
    return undefined
  }

  /** A connection came back with a transaction open. An ORM that borrows one for a single query sends BEGIN so. */
  leftInTransaction(lastText: string, advice: string): void {
    if (this.#mode !== 'off' && opensTransaction(lastText)) this.#warnOfTransaction(advice)
  }

  #warnOfTransaction(advice: string): void {
    if (!this.#warnedOfTransaction) this.#warn(describePoolTransaction(advice))
    this.#warnedOfTransaction = true
  }

  #report(findings: readonly SessionDependency[]): SessionStateError | undefined {
    this.findings += findings.length
    const [first] = findings
    const topology = this.#topology
    if (!first || !topology) return undefined
    if (this.#mode === 'throw') return new SessionStateError(first, topology)
    for (const finding of findings) {
      if (this.#warned.has(finding.construct)) continue
      if (this.#warned.size >= MAX_CONSTRUCTS) this.#warned.clear()
      this.#warned.add(finding.construct)
      this.#warn(describeReliance(finding, topology))
    }
    return undefined
  }
}

function describePoolTransaction(advice: string): string {
  return (
    'BEGIN was sent through the pool itself, which runs each query on any of its connections and ends a transaction that is left open. ' +
    `The statements that follow are not part of the transaction: each commits by itself, and a later ROLLBACK has no effect. ${advice}`
  )
}

function describeReliance({ construct, why, instead }: SessionDependency, topology: Topology): string {
  return `${construct} relies on the session, but at the other end is ${describeTopology(topology)}. ${why} Instead: ${instead}`
}
