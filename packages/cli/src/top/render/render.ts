import { t } from '../../output/translate.ts'
import { shownSnapshot, type ViewedTable, viewTable } from '../selection.ts'
import type { TopState } from '../state.ts'
import { renderDetails } from './details.ts'
import { renderFooter } from './footer.ts'
import { renderHeader } from './header.ts'
import { renderHelp } from './help.ts'
import { bodyHeight, MIN_COLUMNS, MIN_ROWS } from './layout.ts'
import type { Line } from './line.ts'
import { renderTable } from './table.ts'

/** The whole screen: exactly as many lines as it has rows. */
export function render(state: TopState): readonly Line[] {
  const { columns, rows } = state.size
  if (columns < MIN_COLUMNS || rows < MIN_ROWS)
    return fill([[t`The terminal is too small: ${MIN_COLUMNS} x ${MIN_ROWS} is the minimum.`]], rows)
  const table = viewTable(state)
  const footer = renderFooter(state, table)
  const header = renderHeader(state)
  const body = fill(renderBody(state, table), rows - header.length - footer.length)
  return [...header, ...body, ...footer]
}

function renderBody(state: TopState, table: ViewedTable | undefined): readonly Line[] {
  const { mode, size } = state
  const shown = mode.kind === 'confirm' ? mode.back : mode
  if (shown.kind === 'help') return renderHelp()
  if (shown.kind === 'details') return renderDetails(shown, shownSnapshot(state), size.columns).slice(shown.scrolled)
  return table ? renderTable(table, size.columns, bodyHeight(state)) : []
}

function fill(lines: readonly Line[], height: number): readonly Line[] {
  return Array.from({ length: height }, (_, index) => lines[index] ?? [])
}
