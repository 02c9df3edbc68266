import { PoolguardError } from '../poolguard-error.ts'
import { describeTopology, type Topology } from '../topology/index.ts'
import type { StatementFinding } from './statement-finding.ts'

/** The construct in a statement that depends on the session, why it fails, and what to write instead. */
export type SessionDependency = Pick<StatementFinding, 'construct' | 'why' | 'instead'>

/** A statement depends on the session, which the pooler does not keep. The statement was not sent. */
export class SessionStateError extends PoolguardError {
  static {
    SessionStateError.prototype.name = 'SessionStateError'
  }

  readonly code = 'POOLGUARD_SESSION_STATE'
  readonly finding: SessionDependency

  constructor(finding: SessionDependency, topology: Topology) {
    super(describeDependency(finding, topology))
    this.finding = finding
  }
}

/** What depends on the session, why it fails behind the pooler, and what to write instead. */
export function describeDependency({ construct, why, instead }: SessionDependency, topology: Topology): string {
  return `${construct} depends on the session, but the server of this pool is ${describeTopology(topology)}. ${why} Instead: ${instead}`
}
