import type { ViewedTable } from '../selection.ts'
import type { Cell, Column } from '../tables/table.ts'
import { field, type Line, type Span } from './line.ts'

const SELECTED = '> '
const OTHERS = '  '

interface Place {
  readonly index: number
  readonly column: Column
  readonly width: number
}

/** The titles of the columns, and as many rows as fit, with the selected one among them. */
export function renderTable(table: ViewedTable, columns: number, height: number): readonly Line[] {
  const places = placeColumns(table.columns, columns - OTHERS.length)
  const { rows, selected, whenEmpty } = table
  if (rows.length === 0) return [titles(table, places), [], [`${OTHERS}${whenEmpty}`]]
  const first = Math.max(0, Math.min(selected - Math.floor(height / 2), rows.length - height))
  const shown = rows.slice(first, first + height)
  return [titles(table, places), ...shown.map(({ cells }, n) => rowLine(cells, places, first + n === selected))]
}

function titles({ sort }: ViewedTable, places: readonly Place[]): Line {
  const spans = places.map(({ index, column: { title, isNumber }, width }): Span => {
    const mark = sort?.column === index ? (sort.isDescending ? '-' : '+') : ''
    return field(`${title}${mark}`, width, { style: 'underline', right: isNumber === true })
  })
  return [OTHERS, ...separate(spans)]
}

function rowLine(cells: readonly Cell[], places: readonly Place[], isSelected: boolean): Line {
  const spans = places.map(({ index, column, width }): Span => {
    const { text = '', style } = cells[index] ?? {}
    return field(text, width, { style: isSelected ? 'inverse' : style, right: column.isNumber === true })
  })
  if (!isSelected) return [OTHERS, ...separate(spans)]
  return [{ text: SELECTED, style: 'inverse' }, ...separate(spans, { text: ' ', style: 'inverse' })]
}

function separate(spans: readonly Span[], by: Span = ' '): Line {
  return spans.flatMap((span, index) => (index === 0 ? [span] : [by, span]))
}

/** The columns for a terminal of this width: those that grow share the space that is left. */
function placeColumns(columns: readonly Column[], width: number): readonly Place[] {
  const shown = columns
    .map((column, index) => ({ column, index }))
    .filter(({ column }) => (column.from ?? 0) <= width + OTHERS.length)
  const used = shown.reduce((sum, { column }) => sum + column.width + 1, -1)
  const weights = shown.reduce((sum, { column }) => sum + (column.grow ?? 0), 0)
  const left = Math.max(0, width - used)
  return shown.map(({ column, index }) => {
    const share = weights > 0 ? Math.floor((left * (column.grow ?? 0)) / weights) : 0
    return { column, index, width: column.width + share }
  })
}
