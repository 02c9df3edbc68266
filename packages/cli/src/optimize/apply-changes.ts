import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import type { Pool } from '../database/contact.ts'
import type { Proposal } from './propose.ts'
import { type CurrentSetting, readServerState, type ServerState } from './server-state.ts'
import { amountIn, amountOf } from './setting-amount.ts'

/** The applied changes, and SQL to undo them. */
export interface Applied {
  readonly changed: readonly Proposal[]
  /** SQL statements, in the order to run them. */
  readonly undo: readonly string[]
  /** The statement that failed; later ones were not run. */
  readonly rejected?: { readonly name: string; readonly message: string }
}

/** The server rereads its files asynchronously after a reload. */
const RELOAD_TIMEOUT_MILLIS = 5_000
const POLL_MILLIS = 50

/** Applies every proposed change, and reloads the server. */
export async function applyChanges(pool: Pool, proposals: readonly Proposal[], state: ServerState): Promise<Applied> {
  const changed: Proposal[] = []
  for (const proposal of proposals.filter(({ standing }) => standing === 'change')) {
    try {
      await pool.query(statement(proposal, proposal.value, state))
      changed.push(proposal)
    } catch (error) {
      const rejected = { name: proposal.name, message: (error as Error).message }
      return { changed, undo: undoOf(changed, state), rejected }
    }
  }
  if (changed.some(({ by }) => by === 'system') && state.mayReload) {
    await pool.query('select pg_catalog.pg_reload_conf()')
    await waitForReload(pool, changed)
  }
  return { changed, undo: undoOf(changed, state) }
}

/** Names and values come from our own lists and from checked options; both are quoted as a safeguard. */
function statement({ name, by }: Proposal, value: string | undefined, { role }: ServerState): string {
  const setting = pg.escapeIdentifier(name)
  const change = value === undefined ? `reset ${setting}` : `set ${setting} = ${pg.escapeLiteral(value)}`
  return by === 'system' ? `alter system ${change}` : `alter role ${pg.escapeIdentifier(role)} ${change}`
}

/** Waits for the reload. Does not fail on a timeout: the check that follows reports settings that are not in force. */
async function waitForReload(pool: Pool, changed: readonly Proposal[]): Promise<void> {
  const awaited = changed.filter(({ takesEffect }) => takesEffect === 'on reload')
  const deadline = performance.now() + RELOAD_TIMEOUT_MILLIS
  while (performance.now() < deadline) {
    const { settings } = await readServerState(pool, changed)
    const restarts = changed.filter(({ takesEffect }) => takesEffect === 'after a restart')
    const arrived = awaited.every((proposal) => isInForce(proposal, settings.get(proposal.name)))
    if (arrived && restarts.every(({ name }) => settings.get(name)?.pendingRestart)) return
    await pause(POLL_MILLIS)
  }
}

/** Whether a setting has the proposed value. */
export function isInForce({ value }: Proposal, current: CurrentSetting | undefined): boolean {
  return current !== undefined && amountOf(current) === amountIn(current.unit, value)
}

function undoOf(changed: readonly Proposal[], state: ServerState): readonly string[] {
  if (changed.length === 0) return []
  const statements = changed.map((proposal) => statement(proposal, previousValue(proposal, state), state))
  const reload = changed.some(({ by }) => by === 'system') ? ['select pg_catalog.pg_reload_conf()'] : []
  return [...statements, ...reload]
}

/** The value of an earlier ALTER SYSTEM; undefined if a RESET restores the previous value. */
export function previousValue({ name, by }: Proposal, { files }: ServerState): string | undefined {
  if (by === 'role') return undefined
  return (
    files.findLast((line) => line.name === name && /postgresql\.auto\.conf:\d+$/.test(line.place))?.value ?? undefined
  )
}
