import { t } from '../output/translate.ts'
import { groupByProcess } from '../sessions/client-process.ts'
import { describeProcess } from '../sessions/describe-process.ts'
import { describeSession } from '../sessions/describe-session.ts'
import { type Candidate, REASONS, type Reason } from './candidates.ts'

/** The rest is counted. */
const MAX_SESSIONS = 10

/** The candidates for people: by reason, then by process, with what ending them costs. */
export function describeCandidates(candidates: readonly Candidate[]): readonly string[] {
  return REASONS.flatMap((reason) => {
    const ofReason = candidates.filter((candidate) => candidate.reason === reason)
    return ofReason.length === 0 ? [] : [explain(reason, ofReason), ...describeProcesses(ofReason), '']
  })
}

function explain(reason: Reason, candidates: readonly Candidate[]): string {
  const count = candidates.length
  switch (reason) {
    case 'blocks others': {
      const waiting = candidates.reduce((sum, candidate) => sum + candidate.waiting, 0)
      return t`Hold a lock for which ${waiting} others wait: ${count}. Ending one rolls its transaction back.`
    }
    case 'idle in transaction':
      return t`Idle in transaction: ${count}. Ending one rolls its transaction back.`
    case 'idle':
      return t`Idle: ${count}. Ending one loses no work; a pool opens a connection again when it needs one.`
    case 'active':
      return t`Run a query: ${count}. Ending one cancels the query and rolls its transaction back.`
  }
}

function describeProcesses(candidates: readonly Candidate[]): readonly string[] {
  return groupByProcess(candidates.map(({ session }) => session)).flatMap((process) => {
    const more = process.sessions.length - MAX_SESSIONS
    return [
      `  ${describeProcess(process)}`,
      ...process.sessions.slice(0, MAX_SESSIONS).map((session) => `    ${describeSession(session)}`),
      ...(more > 0 ? [t`    and ${more} more`] : []),
    ]
  })
}
