import { t } from '../../output/translate.ts'
import { clientSessions, type Session } from '../../sessions/session.ts'
import type { Snapshot } from '../snapshot.ts'
import { applicationOf, secondsCell, secondsInState, sessionKey, stateCell } from './session-cells.ts'
import { numberCell, type Row, type Table, textCell } from './table.ts'

/** Each session of a client. */
export function sessionsTable({ server: { last } }: Snapshot): Table {
  return {
    columns: [
      { title: t`pid`, width: 7, isNumber: true },
      { title: t`application`, width: 14, grow: 2 },
      { title: t`role`, width: 10, grow: 1, from: 100 },
      { title: t`database`, width: 10, grow: 1, from: 120 },
      { title: t`state`, width: 19 },
      { title: t`for`, width: 7, isNumber: true },
      { title: t`waits for`, width: 19, from: 100 },
      { title: t`statement`, width: 24, grow: 5 },
    ],
    rows: last ? clientSessions(last.sessions).map(rowOf) : [],
    sort: { column: 5, isDescending: true },
    whenEmpty: t`No session is connected.`,
  }
}

function rowOf(session: Session): Row {
  const { pid, role, database, state, waitEvent, query } = session
  return {
    key: sessionKey(session),
    cells: [
      { ...numberCell(pid), style: undefined },
      textCell(applicationOf(session)),
      textCell(role),
      textCell(database),
      stateCell(session),
      secondsCell(secondsInState(session)),
      textCell(state === 'active' ? (waitEvent ?? '') : ''),
      textCell(query ?? '', state === 'active' ? undefined : 'dim'),
    ],
    session,
  }
}
