import { t } from '../../output/translate.ts'
import { type ClientProcess, groupByProcess } from '../../sessions/client-process.ts'
import { nameProcess } from '../../sessions/describe-process.ts'
import { isHidden } from '../../sessions/session.ts'
import type { Snapshot } from '../snapshot.ts'
import { secondsCell, secondsInState } from './session-cells.ts'
import { stateCells, stateColumns } from './state-columns.ts'
import { numberCell, type Row, type Table, textCell } from './table.ts'

/** Each process, with its connections. One row stands for all processes of an address that look the same. */
export function processesTable({ server: { last } }: Snapshot): Table {
  return {
    columns: [
      { title: t`open`, width: 6, isNumber: true },
      ...stateColumns(),
      { title: t`longest`, width: 8, isNumber: true },
      { title: t`process`, width: 27, grow: 1 },
    ],
    rows: last ? groupByProcess(last.sessions).map(rowOf) : [],
    sort: { column: 0, isDescending: true },
    whenEmpty: t`No process is connected.`,
  }
}

function rowOf(process: ClientProcess): Row {
  const { application, role, address, localProcess, sessions } = process
  const times = sessions.filter((session) => !isHidden(session)).map((session) => secondsInState(session) ?? 0)
  return {
    key: JSON.stringify([localProcess?.pid, address, application, role, times.length > 0]),
    cells: [
      numberCell(sessions.length, 'bold'),
      ...stateCells(sessions),
      secondsCell(times.length > 0 ? Math.max(...times) : null),
      textCell(nameProcess(process)),
    ],
    sessions,
  }
}
