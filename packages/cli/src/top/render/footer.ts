import { describeSeconds } from '../../output/describe-seconds.ts'
import { wrapBehind } from '../../output/layout.ts'
import { printableLine } from '../../output/printable.ts'
import { t } from '../../output/translate.ts'
import type { ViewedTable } from '../selection.ts'
import type { Mode, Notice, TopState } from '../state.ts'
import { applicationOf, stateOf } from '../tables/session-cells.ts'
import { FOOTER_LINES } from './layout.ts'
import type { Line } from './line.ts'

/** Two lines: what is shown or asked, and the keys. A long notice takes both. */
export function renderFooter(state: TopState, table: ViewedTable | undefined): readonly Line[] {
  const { mode, notice, size } = state
  const [status = [], more] = notice ? noticeLines(notice, size.columns) : [statusLine(state, table)]
  switch (mode.kind) {
    case 'confirm':
      return confirmLines(mode)
    case 'filter':
      return [[`/${state.filter}_`], [t`Enter apply  Esc discard`]]
    case 'help':
      return [[], [t`any key: back  q quit`]]
    case 'details':
      return [status, more ?? [t`Esc back  Up, Down scroll  c cancel  t terminate  q quit`]]
    case 'table':
      return [status, more ?? [t`q quit  / filter  s sort  Space freeze  Enter details  t terminate  ? help`]]
  }
}

function confirmLines({ signal, session }: Mode & { kind: 'confirm' }): readonly Line[] {
  const { pid, stateSeconds, transactionSeconds } = session
  const doing = t`${stateOf(session)} for ${describeSeconds(stateSeconds ?? 0)}`
  const what = `pid ${pid}, ${[applicationOf(session), session.role, doing].filter(Boolean).join(', ')}`
  const cost = transactionSeconds === null ? '' : t`Its transaction is rolled back.`
  const question = signal === 'cancel' ? t`Cancel its statement?` : t`Terminate this session?`
  return [[what], [{ text: [question, t`y: yes, other keys: no.`, cost].filter(Boolean).join(' '), style: 'bold' }]]
}

function noticeLines({ text, isError }: Notice, columns: number): readonly Line[] {
  return wrapBehind('', printableLine(text), columns)
    .split('\n')
    .slice(0, FOOTER_LINES)
    .map((line) => [{ text: line, style: isError ? 'red' : 'bold' }])
}

function statusLine({ mode, filter, scope, table: id }: TopState, table: ViewedTable | undefined): Line {
  if (!table || mode.kind === 'details') return []
  const { rows, selected, columns, sort } = table
  const title = sort && columns[sort.column]?.title
  const parts = [
    rows.length > 0 ? t`${selected + 1} of ${rows.length}` : '',
    title === undefined ? '' : sort?.isDescending ? t`by ${title}, descending` : t`by ${title}, ascending`,
    filter === '' ? '' : t`filter: ${filter}`,
    scope && id === 'sessions' ? t`only ${scope.title}` : '',
  ]
  return [{ text: parts.filter(Boolean).join('  '), style: 'dim' }]
}
