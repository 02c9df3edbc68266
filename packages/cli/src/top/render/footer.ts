import { describeSeconds } from '../../output/describe-seconds.ts'
import { t } from '../../output/translate.ts'
import type { ViewedTable } from '../selection.ts'
import type { Mode, TopState } from '../state.ts'
import { applicationOf, stateOf } from '../tables/session-cells.ts'
import type { Line } from './line.ts'

/** Two lines: what is shown or asked, and the keys. */
export function renderFooter(state: TopState, table: ViewedTable | undefined): readonly Line[] {
  const { mode } = state
  switch (mode.kind) {
    case 'confirm':
      return confirmLines(mode)
    case 'filter':
      return [[`/${state.filter}_`], [t`Enter apply  Esc discard`]]
    case 'help':
      return [[], [t`any key: back  q quit`]]
    case 'details':
      return [statusLine(state, undefined), [t`Esc back  c cancel  t terminate  q quit`]]
    case 'table':
      return [statusLine(state, table), [t`q quit  / filter  s sort  Space freeze  Enter details  t terminate  ? help`]]
  }
}

function confirmLines({ signal, session }: Mode & { kind: 'confirm' }): readonly Line[] {
  const { pid, stateSeconds, transactionSeconds } = session
  const doing = t`${stateOf(session)} for ${describeSeconds(stateSeconds ?? 0)}`
  const what = `pid ${pid}, ${[applicationOf(session), session.role, doing].filter(Boolean).join(', ')}`
  const cost = transactionSeconds === null ? '' : t`Its transaction is rolled back.`
  const question = signal === 'cancel' ? t`Cancel its statement?` : t`Terminate this session?`
  return [[what], [{ text: [question, cost, t`y: yes, other keys: no`].filter(Boolean).join(' '), style: 'bold' }]]
}

function statusLine({ notice, filter, scope, table: id }: TopState, table: ViewedTable | undefined): Line {
  if (notice) return [{ text: notice.text, style: notice.isError ? 'red' : 'bold' }]
  if (!table) return []
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
