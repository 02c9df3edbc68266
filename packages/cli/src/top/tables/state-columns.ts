import { t } from '../../output/translate.ts'
import { countStates } from '../../sessions/client-process.ts'
import type { Session } from '../../sessions/session.ts'
import { type Cell, type Column, numberCell } from './table.ts'

/** The columns that say what a group of sessions does. */
export function stateColumns(): readonly Column[] {
  return [
    { title: t`active`, width: 7, isNumber: true },
    { title: t`idle`, width: 6, isNumber: true },
    { title: t`in trans.`, width: 10, isNumber: true },
    { title: t`blocked`, width: 8, isNumber: true },
  ]
}

export function stateCells(sessions: readonly Session[]): readonly Cell[] {
  const { active, idle, idleInTransaction, waitingForLock } = countStates(sessions)
  return [
    numberCell(active - waitingForLock, 'green'),
    numberCell(idle),
    numberCell(idleInTransaction, 'yellow'),
    numberCell(waitingForLock, 'red'),
  ]
}
