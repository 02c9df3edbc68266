import type { Style } from '../../output/paint.ts'
import type { Session } from '../../sessions/session.ts'

/** One of the screens, which the user switches between. */
export interface Table {
  readonly columns: readonly Column[]
  readonly rows: readonly Row[]
  /** Undefined if the rows have an order of their own, such as a tree. */
  readonly sort: Sort | undefined
  /** Shown in place of rows. */
  readonly whenEmpty: string
}

export interface Column {
  readonly title: string
  /** In columns of the terminal. */
  readonly width: number
  /** The part of the space left that the column takes on a wider terminal. Default 0. */
  readonly grow?: number
  /** Numbers are aligned right, and sorted with the largest first. */
  readonly isNumber?: boolean
  /** The column is only there on a terminal of at least this width. */
  readonly from?: number
}

export interface Sort {
  /** The index of a column. */
  readonly column: number
  readonly isDescending: boolean
}

export interface Row {
  /** Identifies the row in later samples. */
  readonly key: string
  readonly cells: readonly Cell[]
  /** The session that the row is about. */
  readonly session?: Session
  /** The sessions that the row counts. */
  readonly sessions?: readonly Session[]
  /** What its cells may have no room for. */
  readonly note?: string | undefined
}

export interface Cell {
  readonly text: string
  readonly order: number | string
  readonly style?: Style | undefined
}

export function textCell(text: string, style?: Style): Cell {
  return { text, order: text, style }
}

export function numberCell(count: number, style?: Style): Cell {
  return { text: String(count), order: count, style: count === 0 ? 'dim' : style }
}

/** The rows that contain the filter's text, in the order of the sort. */
export function arrange({ rows, sort: own }: Table, filter: string, sort: Sort | undefined): readonly Row[] {
  const wanted = filter.toLowerCase()
  const found = rows.filter(({ cells }) => cells.some(({ text }) => text.toLowerCase().includes(wanted)))
  const by = own && (sort ?? own)
  if (!by) return found
  const sign = by.isDescending ? -1 : 1
  return found.toSorted((a, b) => sign * compare(a.cells[by.column], b.cells[by.column]))
}

function compare(a: Cell | undefined, b: Cell | undefined): number {
  if (typeof a?.order === 'number' && typeof b?.order === 'number') return a.order - b.order
  return String(a?.order).localeCompare(String(b?.order))
}
