import type { ConnectionLimit } from '../../database/read-limits.ts'
import { shareColour } from '../../output/share-bar.ts'
import { t } from '../../output/translate.ts'
import { type ApplicationSessions, groupByApplication } from '../../sessions/group-by-application.ts'
import type { ServerReading, Snapshot } from '../snapshot.ts'
import { stateCells, stateColumns } from './state-columns.ts'
import { numberCell, type Row, type Table, textCell } from './table.ts'

/** Each application and role, with its connections of those that the server or the role's own limit allows. */
export function applicationsTable({ server: { last } }: Snapshot): Table {
  return {
    columns: [
      { title: t`application`, width: 17, grow: 3 },
      { title: t`role`, width: 10, grow: 1 },
      { title: t`open`, width: 6, isNumber: true },
      { title: t`of`, width: 7, isNumber: true },
      ...stateColumns(),
      { title: t`instances`, width: 10, isNumber: true, from: 100 },
    ],
    rows: last ? groupByApplication(last.sessions).map((group) => rowOf(group, last)) : [],
    sort: { column: 2, isDescending: true },
    whenEmpty: t`No application is connected.`,
  }
}

function rowOf({ application, role, sessions, instances }: ApplicationSessions, server: ServerReading): Row {
  const own = limitOf(role, server.limits)
  const limit = Math.min(own ?? Infinity, server.openSlots)
  const style = shareColour(limit > 0 ? sessions.length / limit : 1)
  return {
    key: JSON.stringify([application, role]),
    cells: [
      textCell(application || t`(no name)`),
      textCell(role),
      numberCell(sessions.length, style === 'green' ? 'bold' : style),
      { text: own === undefined ? String(limit) : t`${limit} *`, order: limit },
      ...stateCells(sessions),
      numberCell(instances ?? 0),
    ],
    sessions,
  }
}

/** The role's CONNECTION LIMIT. */
function limitOf(role: string, limits: readonly ConnectionLimit[]): number | undefined {
  return limits.find(({ kind, name }) => kind === 'role' && name === role)?.limit
}
