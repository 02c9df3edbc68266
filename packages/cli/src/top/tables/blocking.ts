import { t } from '../../output/translate.ts'
import { type LockChain, lockChains, waitOf } from '../../sessions/lock-chains.ts'
import type { Session } from '../../sessions/session.ts'
import type { Snapshot } from '../snapshot.ts'
import { applicationOf, secondsCell, secondsInState, sessionKey, stateCell } from './session-cells.ts'
import { type Row, type Table, textCell } from './table.ts'

/** Deeper chains are shown at this depth. */
const MAX_DEPTH = 4

/** Each session that others wait for, with those that wait below it. */
export function blockingTable({ server: { last } }: Snapshot): Table {
  return {
    columns: [
      { title: t`pid`, width: 16 },
      { title: t`blocks`, width: 7, isNumber: true },
      { title: t`application`, width: 14, grow: 2 },
      { title: t`state`, width: 19 },
      { title: t`for`, width: 7, isNumber: true },
      { title: t`statement`, width: 10, grow: 5 },
    ],
    rows: last ? lockChains(last.sessions).flatMap(rowsOf) : [],
    sort: undefined,
    whenEmpty: t`No session waits for a lock.`,
  }
}

function rowsOf(chain: LockChain): readonly Row[] {
  const { root, rootPid, waiters } = chain
  const below = new Map(waiters.map(({ pid }) => [pid, waiters.filter(({ blockedBy }) => blockedBy.includes(pid))]))
  const shown = new Set<number>()
  /** The rows of a waiter and of those that wait behind it. */
  const rowsFrom = (session: Session, depth: number): readonly Row[] => {
    if (shown.has(session.pid)) return []
    shown.add(session.pid)
    const behind = (below.get(session.pid) ?? []).flatMap((waiter) => rowsFrom(waiter, depth + 1))
    return [sessionRow(`${rootPid} `, session, depth, behind.length), ...behind]
  }
  const direct = waiters.filter(({ blockedBy }) => blockedBy.includes(rootPid))
  return [
    root ? sessionRow('', root, 0, waiters.length) : missingRow(chain),
    ...[...direct, ...waiters].flatMap((waiter) => rowsFrom(waiter, 1)),
  ]
}

function sessionRow(chain: string, session: Session, depth: number, blocks: number): Row {
  const indent = depth === 0 ? '' : `${'  '.repeat(Math.min(depth, MAX_DEPTH) - 1)}+- `
  return {
    key: `${chain}${sessionKey(session)}`,
    cells: [
      textCell(`${indent}${session.pid}`, depth === 0 ? 'bold' : undefined),
      { text: blocks > 0 ? String(blocks) : '', order: blocks, style: depth === 0 ? 'red' : undefined },
      textCell(applicationOf(session)),
      stateCell(session),
      secondsCell(secondsInState(session)),
      textCell(session.query ?? ''),
    ],
    session,
  }
}

/** A prepared transaction has no session, and a session may have ended in the meantime. */
function missingRow({ rootPid, waiters }: LockChain): Row {
  const name = rootPid === 0 ? t`prepared transaction` : t`ended`
  const longest = Math.max(...waiters.map(waitOf))
  return {
    key: `root ${rootPid}`,
    cells: [
      textCell(rootPid === 0 ? '-' : String(rootPid), 'bold'),
      { text: String(waiters.length), order: waiters.length, style: 'red' },
      textCell(''),
      textCell(name, 'red'),
      secondsCell(longest),
      textCell(''),
    ],
  }
}
