import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import type { Pool } from '../database/contact.ts'
import type { Proposal } from './propose.ts'
import { type CurrentSetting, readServerState, type ServerState } from './server-state.ts'
import { amountIn, amountOf } from './setting-amount.ts'

/** What was done, and how it is undone. */
export interface Applied {
  readonly changed: readonly Proposal[]
  /** SQL, a statement each, in the order in which it has to be run. */
  readonly undo: readonly string[]
  /** The statement that was refused, after which nothing more was tried. */
  readonly refused?: { readonly name: string; readonly message: string }
}

/** The server reads its files when its main process has time for it. */
const RELOAD_MILLIS = 5_000
const LOOK_MILLIS = 50

/** Writes every proposal that is a change, and has the server read it. */
export async function applyChanges(pool: Pool, proposals: readonly Proposal[], state: ServerState): Promise<Applied> {
  const changed: Proposal[] = []
  for (const proposal of proposals.filter(({ standing }) => standing === 'change')) {
    try {
      await pool.query(statement(proposal, proposal.value, state))
      changed.push(proposal)
    } catch (error) {
      const refused = { name: proposal.name, message: (error as Error).message }
      return { changed, undo: undoOf(changed, state), refused }
    }
  }
  if (changed.some(({ by }) => by === 'system') && state.mayReload) {
    await pool.query('select pg_catalog.pg_reload_conf()')
    await untilReloaded(pool, changed)
  }
  return { changed, undo: undoOf(changed, state) }
}

/** Names are from our own lists; values of them and of options that were looked at. Both are quoted all the same. */
function statement({ name, by }: Proposal, value: string | undefined, { role }: ServerState): string {
  const setting = pg.escapeIdentifier(name)
  const change = value === undefined ? `reset ${setting}` : `set ${setting} = ${pg.escapeLiteral(value)}`
  return by === 'system' ? `alter system ${change}` : `alter role ${pg.escapeIdentifier(role)} ${change}`
}

/** Gives up quietly: what has not come is told by the look that follows. */
async function untilReloaded(pool: Pool, changed: readonly Proposal[]): Promise<void> {
  const awaited = changed.filter(({ takesEffect }) => takesEffect === 'on reload')
  const deadline = performance.now() + RELOAD_MILLIS
  while (performance.now() < deadline) {
    const { settings } = await readServerState(pool, changed)
    const restarts = changed.filter(({ takesEffect }) => takesEffect === 'after a restart')
    const arrived = awaited.every((proposal) => hasArrived(proposal, settings.get(proposal.name)))
    if (arrived && restarts.every(({ name }) => settings.get(name)?.pendingRestart)) return
    await pause(LOOK_MILLIS)
  }
}

/** Whether a setting is what it was to be. */
export function hasArrived({ value }: Proposal, current: CurrentSetting | undefined): boolean {
  return current !== undefined && amountOf(current) === amountIn(current.unit, value)
}

function undoOf(changed: readonly Proposal[], state: ServerState): readonly string[] {
  if (changed.length === 0) return []
  const statements = changed.map((proposal) => statement(proposal, writtenBefore(proposal, state), state))
  const reload = changed.some(({ by }) => by === 'system') ? ['select pg_catalog.pg_reload_conf()'] : []
  return [...statements, ...reload]
}

/** What an earlier ALTER SYSTEM has written; undefined where a RESET gives back what was there. */
export function writtenBefore({ name, by }: Proposal, { files }: ServerState): string | undefined {
  if (by === 'role') return undefined
  return (
    files.findLast((line) => line.name === name && /postgresql\.auto\.conf:\d+$/.test(line.place))?.value ?? undefined
  )
}
