import type { ServerFacts } from '../../database/server-facts.ts'
import { t } from '../../output/translate.ts'
import { type ClientProcess, groupByProcess } from '../../sessions/client-process.ts'
import { describeProcess, processData } from '../../sessions/describe-process.ts'
import { describeSession, longest } from '../../sessions/describe-session.ts'
import { isIdle, type Session } from '../../sessions/session.ts'
import { endStep } from '../end-sessions.ts'
import type { Finding, Rule } from '../rule.ts'

const MIN_SESSIONS = 10
const MIN_SHARE = 0.8
const MIN_IDLE_SECONDS = 600

export const idleSessionsPileUp: Rule = {
  id: 'idle-sessions-pile-up',
  title: 'A process holds many idle connections',
  severity: 'warning',
  check: ({ server }) => {
    if (!server) return []
    return groupByProcess(server.sessions)
      .map((process) => ({ process, idle: process.sessions.filter(isLongIdle) }))
      .filter(({ process, idle }) => idle.length >= MIN_SESSIONS && idle.length >= process.sessions.length * MIN_SHARE)
      .map(({ process, idle }) => finding(process, idle, server))
  },
}

function isLongIdle(session: Session): boolean {
  return isIdle(session) && (session.stateSeconds ?? 0) >= MIN_IDLE_SECONDS
}

function finding(process: ClientProcess, idle: readonly Session[], server: ServerFacts): Finding {
  const [first] = idle as [Session]
  const step = endStep(idle, server, {
    state: 'idle',
    what: (count) => t`End the ${count} idle sessions; a pool opens a connection again when it needs one.`,
  })
  return {
    evidence: t`${idle.length} of ${process.sessions.length} sessions of ${describeProcess(process)} have been idle for more than ten minutes, the longest for ${longest(idle.map(({ stateSeconds }) => stateSeconds))}; for example ${describeSession(first)}.`,
    why: t`Either the app leaks them (it creates a pool for each request or each hot reload, or does not release clients), or its pools are too large. Other applications cannot use these connections.`,
    now: step ? [step] : [],
    change: t`Create one pool for each process and keep it (guardPool keeps one for each name across hot reloads), release each client in a finally block, and close idle connections: idleTimeoutMillis: 30000 (pg), idle_timeout: 30 (postgres.js). The timeout does not reach clients that were never released.`,
    data: { ...processData(process), idle: idle.length, idlePids: idle.map(({ pid }) => pid) },
  }
}
