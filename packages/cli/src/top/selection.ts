import type { Snapshot } from './snapshot.ts'
import type { Cursor, Scope, TopState } from './state.ts'
import { type TableId, tableOf } from './tables/index.ts'
import { arrange, type Row, type Sort, type Table } from './tables/table.ts'

/** The table in view, with the rows as the screen has them. */
export interface ViewedTable extends Table {
  readonly selected: number
}

/** What the screen shows: the last answers, unless it is frozen. */
export function shownSnapshot({ current, frozen }: TopState): Snapshot | undefined {
  return frozen ?? current
}

/** The table in view: in its scope, filtered and sorted. Undefined before the first sample. */
export function viewTable(state: TopState): ViewedTable | undefined {
  const snapshot = shownSnapshot(state)
  if (!snapshot) return undefined
  const { table, filter, scope, sorts, cursors } = state
  const whole = tableOf(table, snapshot)
  const inScope = table === 'sessions' && scope ? { ...whole, rows: rowsIn(whole, scope, snapshot) } : whole
  const sort = sortOf(table, whole, sorts)
  const rows = arrange(inScope, filter, sort)
  return { ...whole, rows, sort, selected: selectedIndex(rows, cursors[table]) }
}

function sortOf(id: TableId, { sort }: Table, sorts: TopState['sorts']): Sort | undefined {
  return sort && (sorts[id] ?? sort)
}

/** The rows of the sessions that another table's row stands for. */
function rowsIn({ rows }: Table, { table, key }: Scope, snapshot: Snapshot): readonly Row[] {
  const row = tableOf(table, snapshot).rows.find((each) => each.key === key)
  const pids = new Set(row?.sessions?.map(({ pid }) => pid))
  return rows.filter(({ session }) => session && pids.has(session.pid))
}

function selectedIndex(rows: readonly Row[], cursor: Cursor | undefined): number {
  const index = cursor ? rows.findIndex(({ key }) => key === cursor.key) : 0
  return index >= 0 ? index : Math.max(0, Math.min(cursor?.index ?? 0, rows.length - 1))
}
