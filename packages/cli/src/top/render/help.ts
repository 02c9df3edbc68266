import { alignLeft } from '../../output/layout.ts'
import { t } from '../../output/translate.ts'
import type { Line } from './line.ts'

const KEY_WIDTH = 22

export function renderHelp(): readonly Line[] {
  const keys: readonly (readonly [string, string])[] = [
    ['1 - 6, Tab, <- ->', t`switch between the tables`],
    ['Up, Down, PgUp, PgDn', t`select a row, or scroll; also j and k, Home and End`],
    ['Enter', t`details of a session; the sessions that a row counts`],
    ['Esc', t`back; show all rows again`],
    ['/', t`filter: only rows that contain a text`],
    ['s', t`sort by the next column`],
    ['r', t`reverse the order`],
    ['Space', t`freeze the screen, and go on`],
    ['c', t`cancel the selected session's statement, after asking`],
    ['t', t`terminate the selected session, after asking`],
    ['Ctrl-L', t`paint the screen again`],
    ['q, Ctrl-C', t`quit`],
  ]
  return [
    [{ text: t`Keys`, style: 'bold' }],
    [],
    ...keys.map(([key, what]) => [{ text: alignLeft(key, KEY_WIDTH), style: 'bold' } as const, what]),
    [],
    [t`+ and - mark the column of the order, ascending and descending.`],
    [t`* marks the CONNECTION LIMIT of a role.`],
  ]
}
