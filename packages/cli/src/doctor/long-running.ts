import pg from 'pg'
import type { ServerFacts } from '../database/server-facts.ts'
import { joinSentences, t } from '../output/translate.ts'
import { groupByProcess } from '../sessions/client-process.ts'
import { describeProcess, processData } from '../sessions/describe-process.ts'
import { describeSession, longest, sessionData } from '../sessions/describe-session.ts'
import { clientSessions, type Session } from '../sessions/session.ts'
import { endStep } from './end-sessions.ts'
import type { Finding } from './rule.ts'

interface LongRunning {
  readonly isLong: (session: Session) => boolean
  readonly secondsOf: (session: Session) => number
  readonly describe: (count: number, longest: string) => string
  readonly why: string
  readonly change: (role: string) => string
}

/** One finding for each process with sessions that have worked for long. */
export function longRunning(
  server: ServerFacts | undefined,
  { isLong, secondsOf, describe, why, change }: LongRunning,
): readonly Finding[] {
  if (!server) return []
  return groupByProcess(clientSessions(server.sessions).filter(isLong)).map((process) => {
    const [first] = process.sessions.toSorted((a, b) => secondsOf(b) - secondsOf(a)) as [Session]
    const step = endStep([first], server, {
      state: 'any',
      what: () => t`End the longest one; its work is rolled back.`,
    })
    return {
      evidence: joinSentences(
        describe(process.sessions.length, longest(process.sessions.map(secondsOf))),
        t`By ${describeProcess(process)}; the longest is ${describeSession(first)}.`,
      ),
      why,
      now: step ? [step] : [],
      change: change(pg.escapeIdentifier(process.role)),
      data: { ...processData(process), longest: sessionData(first), longestSeconds: secondsOf(first) },
    }
  })
}
