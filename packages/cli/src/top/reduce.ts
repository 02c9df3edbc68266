import type { SessionSignal } from '../database/signal-session.ts'
import { t } from '../output/translate.ts'
import type { Session } from '../sessions/session.ts'
import { renderDetails } from './render/details.ts'
import { bodyHeight, detailsHeight } from './render/layout.ts'
import { shownSnapshot, type ViewedTable, viewTable } from './selection.ts'
import { type Snapshot, withSample } from './snapshot.ts'
import type { DetailsMode, Effect, KeyEvent, Mode, Notice, SignalResult, TopEvent, TopState } from './state.ts'
import { TABLE_IDS, type TableId } from './tables/index.ts'
import { sessionKey } from './tables/session-cells.ts'

/** The next state, and what the program does because of the event. */
export interface Reduction {
  readonly state: TopState
  readonly effects: readonly Effect[]
}

const TABLE: Mode = { kind: 'table' }

/** The only function that makes a state from another one. It reads no clock and does nothing by itself. */
export function reduce(state: TopState, event: TopEvent): Reduction {
  switch (event.type) {
    case 'sample':
      return addSample(state, withSample(state.current, event.sample))
    case 'resize':
      return only(withinDetails({ ...state, size: event.size }))
    case 'details':
      return only(addDetails(state, event.session, event.details))
    case 'signalled':
      return only({ ...state, notice: noticeOf(event.signal, event.session, event.result) })
    default:
      return pressKey({ ...state, notice: undefined }, event)
  }
}

function only(state: TopState, ...effects: readonly Effect[]): Reduction {
  return { state, effects }
}

function addSample(state: TopState, current: Snapshot): Reduction {
  const next = { ...state, current }
  if (state.mode.kind !== 'details' || state.frozen) return only(next)
  const { session } = state.mode
  const found = current.server.last?.sessions.find((each) => sessionKey(each) === sessionKey(session))
  const mode: DetailsMode = { ...state.mode, session: found ?? session, hasEnded: !found }
  return found ? only({ ...next, mode }, { type: 'read details', session: found }) : only({ ...next, mode })
}

function addDetails(state: TopState, session: Session, details: NonNullable<DetailsMode['details']>): TopState {
  const { mode } = state
  const isShown = mode.kind === 'details' && sessionKey(mode.session) === sessionKey(session) && !mode.hasEnded
  return isShown ? withinDetails({ ...state, mode: { ...mode, details } }) : state
}

function noticeOf(signal: SessionSignal, { pid, role }: Session, result: SignalResult): Notice {
  if (result === 'sent')
    return {
      isError: false,
      text: signal === 'cancel' ? t`Cancelled the statement of pid ${pid}.` : t`Terminated the session of pid ${pid}.`,
    }
  if (result === 'changed')
    return { isError: true, text: t`pid ${pid} has ended or gone on in the meantime: nothing was done.` }
  const { error, isDenied } = result
  return {
    isError: true,
    text: isDenied
      ? t`pid ${pid}: ${error}. Connect as ${role} or a superuser, or grant pg_signal_backend.`
      : t`pid ${pid}: ${error}`,
  }
}

function pressKey(state: TopState, event: KeyEvent): Reduction {
  if (event.type === 'key') {
    if (event.key === 'ctrl c') return only(state, { type: 'quit' })
    if (event.key === 'ctrl z') return only(state, { type: 'suspend' })
    if (event.key === 'ctrl l') return only(state, { type: 'repaint' })
  }
  switch (state.mode.kind) {
    case 'filter':
      return only(typeFilter(state, event, state.mode.before))
    case 'confirm':
      return answer(state, event, state.mode)
    case 'help':
      return isText(event, 'q') ? only(state, { type: 'quit' }) : only({ ...state, mode: TABLE })
    case 'details':
      return pressInDetails(state, event, state.mode)
    case 'table':
      return pressInTable(state, event)
  }
}

function pressInTable(state: TopState, event: KeyEvent): Reduction {
  const steps = stepsOf(event, state)
  if (steps !== 0) return only(moveBy(state, steps))
  return event.type === 'key' ? pressNamed(state, event.key) : pressText(state, event.text)
}

function isText(event: KeyEvent, ...texts: readonly string[]): boolean {
  return event.type === 'text' && texts.includes(event.text)
}

function typeFilter(state: TopState, event: KeyEvent, before: string): TopState {
  const { filter } = state
  if (event.type === 'text') return { ...state, filter: filter + event.text }
  if (event.key === 'enter') return { ...state, mode: TABLE }
  if (event.key === 'escape') return { ...state, filter: before, mode: TABLE }
  if (event.key === 'backspace') return { ...state, filter: [...filter].slice(0, -1).join('') }
  return state
}

function answer(state: TopState, event: KeyEvent, { signal, session, back }: Mode & { kind: 'confirm' }): Reduction {
  const next = { ...state, mode: back }
  return isText(event, 'y', 'Y') ? only(next, { type: 'signal', signal, session }) : only(next)
}

function pressInDetails(state: TopState, event: KeyEvent, { session, hasEnded }: DetailsMode): Reduction {
  if (isText(event, 'q')) return only(state, { type: 'quit' })
  if (isText(event, 'c', 't'))
    return only(
      hasEnded ? state : confirm(state, event.type === 'text' && event.text === 'c' ? 'cancel' : 'terminate', session),
    )
  if (event.type === 'key' && (event.key === 'escape' || event.key === 'enter')) return only({ ...state, mode: TABLE })
  return only(scrollBy(state, stepsOf(event, state)))
}

/** How far a key moves; 0 for other keys. */
function stepsOf(event: KeyEvent, state: TopState): number {
  const page = bodyHeight(state)
  switch (event.type === 'key' ? event.key : event.text) {
    case 'up':
    case 'k':
      return -1
    case 'down':
    case 'j':
      return 1
    case 'page up':
      return -page
    case 'page down':
      return page
    case 'home':
      return -Infinity
    case 'end':
      return Infinity
    default:
      return 0
  }
}

function scrollBy(state: TopState, steps: number): TopState {
  const { mode } = state
  if (mode.kind !== 'details') return state
  return withinDetails({ ...state, mode: { ...mode, scrolled: mode.scrolled + steps } })
}

/** Keeps lines of the details in view, although there may be fewer now. */
function withinDetails(state: TopState): TopState {
  const { mode, size } = state
  if (mode.kind !== 'details') return state
  const lines = renderDetails(mode, shownSnapshot(state), size.columns).length
  const scrolled = Math.max(0, Math.min(mode.scrolled, lines - detailsHeight(state)))
  return { ...state, mode: { ...mode, scrolled } }
}

function pressNamed(state: TopState, key: Extract<KeyEvent, { type: 'key' }>['key']): Reduction {
  switch (key) {
    case 'tab':
    case 'right':
      return only(switchBy(state, 1))
    case 'shift tab':
    case 'left':
      return only(switchBy(state, -1))
    case 'enter':
      return open(state)
    case 'escape':
      return only(goBack(state))
    default:
      return only(state)
  }
}

function pressText(state: TopState, text: string): Reduction {
  const table = TABLE_IDS[Number(text) - 1]
  if (table) return only(switchTo(state, table))
  switch (text) {
    case 'q':
      return only(state, { type: 'quit' })
    case '/':
      return only({ ...state, mode: { kind: 'filter', before: state.filter } })
    case 's':
      return only(sortByNext(state))
    case 'r':
      return only(reverseSort(state))
    case ' ':
      return only({ ...state, frozen: state.frozen ? undefined : state.current })
    case 'c':
      return only(confirmSelected(state, 'cancel'))
    case 't':
      return only(confirmSelected(state, 'terminate'))
    case '?':
    case 'h':
      return only({ ...state, mode: { kind: 'help' } })
    default:
      return only(state)
  }
}

function moveBy(state: TopState, steps: number): TopState {
  const view = viewTable(state)
  if (!view || view.rows.length === 0) return state
  const index = Math.max(0, Math.min(view.selected + steps, view.rows.length - 1))
  const key = view.rows[index]?.key ?? ''
  return { ...state, cursors: { ...state.cursors, [state.table]: { key, index } } }
}

function switchBy(state: TopState, steps: number): TopState {
  const index = TABLE_IDS.indexOf(state.table) + steps + TABLE_IDS.length
  return switchTo(state, TABLE_IDS[index % TABLE_IDS.length] as TableId)
}

function switchTo(state: TopState, table: TableId): TopState {
  return { ...state, table, scope: undefined }
}

/** To the table whose row was opened, or to all rows. */
function goBack(state: TopState): TopState {
  return state.scope ? switchTo(state, state.scope.table) : { ...state, filter: '' }
}

function sortByNext(state: TopState): TopState {
  const view = viewTable(state)
  if (!view?.sort) return state
  const shown = shownColumns(view, state)
  const at = shown.indexOf(view.sort.column) + 1
  const column = shown[at % shown.length] ?? 0
  return withSort(state, { column, isDescending: view.columns[column]?.isNumber === true })
}

function shownColumns({ columns }: ViewedTable, { size }: TopState): readonly number[] {
  return columns.flatMap(({ from = 0 }, index) => (from <= size.columns ? [index] : []))
}

function reverseSort(state: TopState): TopState {
  const sort = viewTable(state)?.sort
  return sort ? withSort(state, { ...sort, isDescending: !sort.isDescending }) : state
}

function withSort(state: TopState, sort: NonNullable<ViewedTable['sort']>): TopState {
  return { ...state, sorts: { ...state.sorts, [state.table]: sort } }
}

/** Shows a session's details, the sessions that a row counts, or its note. */
function open(state: TopState): Reduction {
  const view = viewTable(state)
  const row = view?.rows[view.selected]
  if (row?.session) {
    const { session } = row
    const mode: DetailsMode = { kind: 'details', session, hasEnded: false, scrolled: 0, details: undefined }
    return only({ ...state, mode }, { type: 'read details', session })
  }
  if (row?.note !== undefined) return only({ ...state, notice: { isError: true, text: row.note } })
  if (!row?.sessions) return only(state)
  const [title] = row.cells.filter(({ order }) => typeof order === 'string').map(({ text }) => text)
  const scope = { table: state.table, key: row.key, title: title ?? '' }
  return only({ ...state, scope, table: 'sessions', filter: '' })
}

function confirmSelected(state: TopState, signal: SessionSignal): TopState {
  const view = viewTable(state)
  const { session, sessions } = view?.rows[view.selected] ?? {}
  if (session) return confirm(state, signal, session)
  const text = sessions ? t`Press Enter first: only single sessions can be ended.` : t`No session is selected.`
  return { ...state, notice: { isError: false, text } }
}

function confirm(state: TopState, signal: SessionSignal, session: Session): TopState {
  if (session.startedAt === null) {
    const text = t`pid ${session.pid}: this role may not see the session. Connect as ${session.role} or a superuser, or grant pg_read_all_stats and pg_signal_backend.`
    return { ...state, notice: { isError: true, text } }
  }
  return { ...state, mode: { kind: 'confirm', signal, session, back: state.mode } }
}
