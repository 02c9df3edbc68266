import { t } from '../../output/translate.ts'
import { clientSessions, isIdle, type Session } from '../../sessions/session.ts'
import type { Snapshot } from '../snapshot.ts'
import { applicationOf, secondsCell } from './session-cells.ts'
import { numberCell, type Row, type Table, textCell } from './table.ts'

/** What sessions that are at work wait for, with the one that has waited for the longest time. */
export function waitsTable({ server: { last } }: Snapshot): Table {
  return {
    columns: [
      { title: t`sessions`, width: 9, isNumber: true },
      { title: t`wait for`, width: 26, grow: 1 },
      { title: t`longest`, width: 8, isNumber: true },
      { title: t`application`, width: 14, grow: 1 },
      { title: t`statement`, width: 17, grow: 4 },
    ],
    rows: last ? [...groupByWait(last.sessions)].map(([wait, sessions]) => rowOf(wait, sessions)) : [],
    sort: { column: 0, isDescending: true },
    whenEmpty: t`No session is at work.`,
  }
}

function groupByWait(sessions: readonly Session[]): ReadonlyMap<string, readonly Session[]> {
  const groups = new Map<string, Session[]>()
  for (const session of clientSessions(sessions)) {
    if (session.state === null || isIdle(session)) continue
    const wait = session.waitEvent ?? t`nothing: runs`
    groups.set(wait, [...(groups.get(wait) ?? []), session])
  }
  return groups
}

function rowOf(wait: string, sessions: readonly Session[]): Row {
  const [longest] = sessions.toSorted((a, b) => secondsOf(b) - secondsOf(a))
  const isLock = sessions.some(({ lockWaitSeconds }) => lockWaitSeconds !== null)
  return {
    key: wait,
    cells: [
      numberCell(sessions.length, 'bold'),
      textCell(wait, isLock ? 'red' : undefined),
      secondsCell(longest ? secondsOf(longest) : null),
      textCell(longest ? applicationOf(longest) : ''),
      textCell(longest?.query ?? ''),
    ],
    sessions,
  }
}

function secondsOf({ lockWaitSeconds, stateSeconds }: Session): number {
  return lockWaitSeconds ?? stateSeconds ?? 0
}
