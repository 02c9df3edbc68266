import { readFleetName } from '@poolguard/core/postgres'
import { describeSeconds } from '../../output/describe-seconds.ts'
import type { Style } from '../../output/paint.ts'
import { t } from '../../output/translate.ts'
import { clientOf } from '../../sessions/client-process.ts'
import { isHidden, isIdleInTransaction, type Session } from '../../sessions/session.ts'
import { type Cell, textCell } from './table.ts'

/** From this age on, an open transaction without a statement is conspicuous: the default of `free`. */
const LONG_SECONDS = 60

/** A session together with its start: a later session can have the same pid. */
export function sessionKey({ pid, startedAt }: Session): string {
  return `${pid} ${startedAt ?? ''}`
}

/** The application of a session; of a fleet's instance without the figures in the name. */
export function applicationOf(session: Session): string {
  const { application } = clientOf(session)
  return readFleetName(application)?.instance ?? application
}

/** What the session does, in PostgreSQL's words. */
export function stateOf(session: Session): string {
  if (isHidden(session)) return t`hidden`
  if (session.lockWaitSeconds !== null) return t`waits for a lock`
  return session.state ?? session.kind
}

/** How long the session has waited for a lock, or has been in its state. */
export function secondsInState({ lockWaitSeconds, stateSeconds }: Session): number | null {
  return lockWaitSeconds ?? stateSeconds
}

export function stateCell(session: Session): Cell {
  return textCell(stateOf(session), stateStyle(session))
}

export function secondsCell(seconds: number | null, style?: Style): Cell {
  return { text: seconds === null ? '' : describeSeconds(seconds), order: seconds ?? -1, style }
}

function stateStyle(session: Session): Style | undefined {
  if (session.lockWaitSeconds !== null) return 'red'
  if (isIdleInTransaction(session)) return (session.stateSeconds ?? 0) >= LONG_SECONDS ? 'red' : 'yellow'
  return session.state === 'active' ? 'green' : 'dim'
}
