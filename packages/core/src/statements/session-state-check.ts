import { keepsSession, type Topology } from '../topology/index.ts'
import { describeDependency, type SessionDependency, SessionStateError } from './session-error.ts'
import type { SessionStateMode } from './session-state-mode.ts'
import { StatementLint } from './statement-lint.ts'

const NAMED_STATEMENT: SessionDependency = {
  construct: 'a named statement',
  why: 'The pooler does not track statement names: the next transaction may run on a server connection where the name is unknown (26000), taken (42P05), or belongs to another client.',
  instead: 'A statement without a name, or PgBouncer 1.21 and later with max_prepared_statements above 0.',
}

/** More than one app uses. Above it, a warning may be repeated. */
const MAX_CONSTRUCTS = 1_000

/**
 * Checks statements before they are sent, if the pooler does not keep the session from one transaction to the next. Checks nothing
 * until the topology is known.
 */
export class SessionStateCheck {
  readonly #mode: SessionStateMode
  readonly #warn: (message: string) => void
  readonly #warned = new Set<string>()
  #lint: StatementLint | undefined
  #topology: Topology | undefined
  /** Constructs that caused a warning or a rejection so far, each counted once per text. */
  findings = 0

  constructor(mode: SessionStateMode, warn: (message: string) => void) {
    this.#mode = mode
    this.#warn = warn
  }

  setTopology(topology: Topology): void {
    this.#topology = topology
    const needed = this.#mode !== 'off' && !keepsSession(topology)
    this.#lint = needed ? (this.#lint ?? new StatementLint()) : undefined
  }

  /** False if the pooler is known to keep no session, so that no session state needs a reset. */
  get keepsSession(): boolean {
    return this.#topology === undefined || keepsSession(this.#topology)
  }

  /** Whether statements are checked at all: a cheap test before each query. */
  get reads(): boolean {
    return this.#lint !== undefined
  }

  /**
   * Checks a statement before it is sent.
   *
   * @returns in mode `throw`, the error to reject it with.
   */
  check(text: string, name?: string): SessionStateError | undefined {
    const lint = this.#lint
    if (!lint) return undefined
    const findings: readonly SessionDependency[] =
      name && this.#topology?.preparedStatements !== 'safe'
        ? [NAMED_STATEMENT]
        : this.#mode === 'throw'
          ? lint.allFindings(text)
          : lint.newFindings(text)
    return findings.length === 0 ? undefined : this.#report(findings)
  }

  /** The error for a statement that cannot work without its session, in any mode; undefined if the session is kept. */
  checkSession(text: string): SessionStateError | undefined {
    const topology = this.#topology
    if (!topology || keepsSession(topology)) return undefined
    const [finding] = new StatementLint().allFindings(text)
    return finding && new SessionStateError(finding, topology)
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
      this.#warn(describeDependency(finding, topology))
    }
    return undefined
  }
}
