import type { TopState } from '../state.ts'

/** Title, connections, pooler and outages, tabs. */
export const HEADER_LINES = 4

/** A status or question, and the keys. */
export const FOOTER_LINES = 2
/** The line with the titles of columns. */
const TITLE_LINES = 1

/** Smaller terminals show a message only. */
export const MIN_COLUMNS = 40
export const MIN_ROWS = 10

/** The lines for the rows of a table. */
export function bodyHeight(state: Pick<TopState, 'size'>): number {
  return Math.max(1, detailsHeight(state) - TITLE_LINES)
}

/** The lines for the details of a session. */
export function detailsHeight({ size }: Pick<TopState, 'size'>): number {
  return Math.max(1, size.rows - HEADER_LINES - FOOTER_LINES)
}
