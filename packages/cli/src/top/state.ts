import type { SessionDetails } from '../database/read-session-details.ts'
import type { SessionSignal } from '../database/signal-session.ts'
import type { Session } from '../sessions/session.ts'
import type { Snapshot, TopSample } from './snapshot.ts'
import type { TableId } from './tables/index.ts'
import type { Sort } from './tables/table.ts'

/** Everything that the screen shows depends on. Only `reduce` makes a new one. */
export interface TopState {
  readonly size: ScreenSize
  /** The address of the server, without its password. */
  readonly address: string
  /** The last answers. */
  readonly current: Snapshot | undefined
  /** The answers in view while the screen is frozen. */
  readonly frozen: Snapshot | undefined
  readonly table: TableId
  readonly sorts: Readonly<Partial<Record<TableId, Sort>>>
  readonly cursors: Readonly<Partial<Record<TableId, Cursor>>>
  /** Rows that do not contain it are hidden. */
  readonly filter: string
  /** The row of another table whose sessions the table of sessions shows. */
  readonly scope: Scope | undefined
  readonly mode: Mode
  /** What became of an action, until the next key. */
  readonly notice: Notice | undefined
}

export interface ScreenSize {
  readonly columns: number
  readonly rows: number
}

/** The selected row: by key, so that it stays selected in another place; by index, if it is gone. */
export interface Cursor {
  readonly key: string
  readonly index: number
}

export interface Scope {
  readonly table: TableId
  readonly key: string
  readonly title: string
}

export interface Notice {
  readonly text: string
  readonly isError: boolean
}

export type Mode =
  | { readonly kind: 'table' }
  | { readonly kind: 'filter'; readonly before: string }
  | { readonly kind: 'confirm'; readonly signal: SessionSignal; readonly session: Session; readonly back: Mode }
  | DetailsMode
  | { readonly kind: 'help' }

export interface DetailsMode {
  readonly kind: 'details'
  /** As it was last seen. */
  readonly session: Session
  readonly hasEnded: boolean
  /** The lines above the first one in view. */
  readonly scrolled: number
  /** Undefined until they are read. */
  readonly details: SessionDetails | { readonly error: string } | undefined
}

export type TopEvent =
  | KeyEvent
  | { readonly type: 'sample'; readonly sample: TopSample }
  | { readonly type: 'details'; readonly session: Session; readonly details: NonNullable<DetailsMode['details']> }
  | {
      readonly type: 'signalled'
      readonly signal: SessionSignal
      readonly session: Session
      readonly result: SignalResult
    }
  | { readonly type: 'resize'; readonly size: ScreenSize }

/** A key with a name, or text that it types. */
export type KeyEvent =
  | { readonly type: 'key'; readonly key: KeyName }
  | { readonly type: 'text'; readonly text: string }

export type KeyName =
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'page up'
  | 'page down'
  | 'home'
  | 'end'
  | 'enter'
  | 'escape'
  | 'backspace'
  | 'tab'
  | 'shift tab'
  | 'ctrl c'
  | 'ctrl l'
  | 'ctrl z'

export type SignalResult = 'sent' | 'changed' | { readonly error: string; readonly isDenied: boolean }

/** What the program does next. */
export type Effect =
  | { readonly type: 'quit' }
  | { readonly type: 'suspend' }
  | { readonly type: 'repaint' }
  | { readonly type: 'read details'; readonly session: Session }
  | { readonly type: 'signal'; readonly signal: SessionSignal; readonly session: Session }

export function initialState(address: string, size: ScreenSize): TopState {
  return {
    ...{ size, address, current: undefined, frozen: undefined, table: 'applications' },
    ...{ sorts: {}, cursors: {}, filter: '', scope: undefined, mode: { kind: 'table' }, notice: undefined },
  }
}
