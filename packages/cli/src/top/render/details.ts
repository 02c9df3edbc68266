import type { SessionLock } from '../../database/read-session-details.ts'
import { describeSeconds } from '../../output/describe-seconds.ts'
import { widthOf, wrapBehind } from '../../output/layout.ts'
import { printableLine } from '../../output/printable.ts'
import { t } from '../../output/translate.ts'
import { groupByProcess } from '../../sessions/client-process.ts'
import { describeProcess } from '../../sessions/describe-process.ts'
import type { Session } from '../../sessions/session.ts'
import type { Snapshot } from '../snapshot.ts'
import type { DetailsMode } from '../state.ts'
import { stateOf } from '../tables/session-cells.ts'
import type { Line } from './line.ts'

/** Everything about one session. */
export function renderDetails(mode: DetailsMode, snapshot: Snapshot | undefined, columns: number): readonly Line[] {
  const { session, hasEnded, details } = mode
  const sessions = snapshot?.server.last?.sessions ?? []
  const facts = [...describeFacts(session), ...describeBlocking(session, sessions)]
  const locks = details && 'locks' in details ? details.locks.map(describeLock) : []
  const query = details && 'query' in details ? details.query : session.query
  const rows: readonly (readonly [string, string])[] = [
    ...facts,
    ...(details && 'error' in details ? ([[t`details`, details.error]] as const) : []),
    [t`statement`, query ?? t`hidden`],
    ...locks.map((lock, index) => [index === 0 ? t`locks` : '', lock] as const),
  ]
  const labelWidth = Math.max(...rows.map(([label]) => widthOf(label))) + 2
  return [
    [
      { text: t`Session ${session.pid}`, style: 'bold' },
      ...(hasEnded ? [{ text: `  ${t`has ended`}`, style: 'red' } as const] : []),
    ],
    ...rows.flatMap(([label, text]) => wrapRow(label, text, labelWidth, columns)),
  ]
}

function wrapRow(label: string, text: string, labelWidth: number, columns: number): readonly Line[] {
  const padded = `${label}${' '.repeat(labelWidth - widthOf(label))}`
  return wrapBehind(padded, printableLine(text), columns)
    .split('\n')
    .map((line) => [line])
}

function describeFacts(session: Session): readonly (readonly [string, string])[] {
  const { database, waitEvent, ageSeconds, transactionSeconds, stateSeconds, lockWaitSeconds, state } = session
  const [process] = groupByProcess([session])
  const since = (seconds: number | null) => (seconds === null ? '-' : describeSeconds(seconds))
  return [
    [t`process`, process ? describeProcess(process) : ''],
    [t`database`, database],
    [t`state`, t`${stateOf(session)} for ${since(lockWaitSeconds ?? stateSeconds)}`],
    [t`connected`, t`for ${since(ageSeconds)}`],
    [t`transaction`, transactionSeconds === null ? t`none` : t`for ${since(transactionSeconds)}`],
    ...(state === 'active' && waitEvent !== null ? ([[t`waits for`, waitEvent]] as const) : []),
  ]
}

function describeBlocking(
  { pid, blockedBy }: Session,
  sessions: readonly Session[],
): readonly (readonly [string, string])[] {
  const blocked = sessions.filter((each) => each.blockedBy.includes(pid)).map((each) => each.pid)
  return [
    ...(blockedBy.length > 0 ? ([[t`blocked by`, blockedBy.join(', ')]] as const) : []),
    ...(blocked.length > 0 ? ([[t`blocks`, blocked.join(', ')]] as const) : []),
  ]
}

function describeLock({ type, mode, isGranted, relation, count }: SessionLock): string {
  const what = [mode, relation ?? type, count > 1 ? `x ${count}` : ''].filter(Boolean).join(' ')
  return isGranted ? what : t`${what} (waits)`
}
