import type { Outcome } from '../outcome.ts'
import { t } from '../output/translate.ts'
import { sessionData } from '../sessions/describe-session.ts'
import type { Candidate } from './candidates.ts'
import { describeCandidates } from './describe-candidates.ts'
import type { EndedSession, Ending } from './end-candidates.ts'

/** The open connections of the server, and how many roles without reserved slots can have. */
export interface Occupancy {
  readonly used: number
  readonly usable: number
}

export interface FreeReport {
  readonly candidates: readonly Candidate[]
  /** Undefined if nothing was to be ended. */
  readonly ended?: readonly EndedSession[]
  readonly before: Occupancy
  /** After the sessions have ended. */
  readonly after?: Occupancy
  /** Sessions that the role cannot see, and so cannot end. */
  readonly hidden: number
}

/** What was ended, and what came free. Candidates that are left are a finding. */
export function freeOutcome(report: FreeReport): Outcome {
  const { candidates, ended, before, after, hidden } = report
  const left = ended ? ended.filter(({ ending }) => ending === 'failed' || ending === 'still ending') : candidates
  return {
    exitCode: left.length > 0 ? 1 : 0,
    text: [...(ended ? describeEnding(report, ended) : describeDryRun(report)), ...describeHidden(hidden)].join('\n'),
    json: {
      dryRun: ended === undefined,
      candidates: (ended ?? candidates).map(candidateData),
      usedBefore: before.used,
      ...(after && { usedAfter: after.used, freed: Math.max(0, before.used - after.used) }),
      usable: before.usable,
      hidden,
    },
  }
}

function candidateData(candidate: Candidate & Partial<EndedSession>): Readonly<Record<string, unknown>> {
  const { reason, session, waiting, ending, error } = candidate
  return {
    ...{ reason, waiting, ...sessionData(session) },
    ...(ending !== undefined && { ending }),
    ...(error !== undefined && { error }),
  }
}

function describeDryRun({ candidates, before }: FreeReport): readonly string[] {
  const used = t`${before.used} of ${before.usable} connections that are not reserved are open.`
  if (candidates.length === 0)
    return [used, t`No session is a candidate. --older-than takes younger ones, --active those that run a query.`]
  return [
    used,
    '',
    ...describeCandidates(candidates),
    t`Nothing was ended. Without --dry-run, poolguard asks first and then ends them (${candidates.length} in all).`,
  ]
}

function describeEnding({ before, after = before }: FreeReport, ended: readonly EndedSession[]): readonly string[] {
  const count = (ending: Ending) => ended.filter((each) => each.ending === ending).length
  const freed = Math.max(0, before.used - after.used)
  const [failed] = ended.filter(({ ending }) => ending === 'failed')
  return [
    t`Sessions ended: ${count('ended')} of ${ended.length}. Connections that came free: ${freed}. Open now: ${after.used} of ${after.usable} (${before.used} before).`,
    ...(count('changed') > 0
      ? [t`${count('changed')} were left alone: they ended or worked again in the meantime.`]
      : []),
    ...(count('still ending') > 0
      ? [t`${count('still ending')} are still ending: the server has not closed them yet.`]
      : []),
    ...(failed
      ? [t`${count('failed')} could not be ended: ${failed.error}. Run it as a superuser, or grant pg_signal_backend.`]
      : []),
    ...(freed === 0 && count('ended') > 0
      ? [t`Their pools have opened connections again: look for the cause with npx poolguard doctor.`]
      : []),
  ]
}

function describeHidden(hidden: number): readonly string[] {
  return hidden === 0
    ? []
    : [
        t`${hidden} sessions of other roles are hidden from this role: it needs pg_read_all_stats to see them and pg_signal_backend to end them.`,
      ]
}
