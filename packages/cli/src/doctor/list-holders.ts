import type { ServerFacts } from '../database/server-facts.ts'
import { describeSeconds } from '../output/describe-seconds.ts'
import { alignRight, widthOf } from '../output/layout.ts'
import { t } from '../output/translate.ts'
import { type ClientProcess, countStates, groupByProcess } from '../sessions/client-process.ts'
import { nameProcess, processSummary } from '../sessions/describe-process.ts'
import { clientSessions } from '../sessions/session.ts'

/** The rest is in the JSON. */
const MAX_LINES = 8

/** A table of the processes that hold connections, the one with the most first. Empty without sessions. */
export function listHolders(server: ServerFacts | undefined): readonly string[] {
  const processes = groupByProcess(server?.sessions ?? [])
  if (!server || processes.length === 0) return []
  const total = clientSessions(server.sessions).length + server.unlisted
  const rows = processes.slice(0, MAX_LINES).map(cellsOf)
  const head = [t`open`, t`idle`, t`in tx`, t`active`, t`waiting`, t`longest`, t`process`]
  const widths = head.map((title, column) => Math.max(...[head, ...rows].map((row) => widthOf(row[column] ?? title))))
  const print = (row: readonly string[]) =>
    row.map((cell, column) => (column === row.length - 1 ? cell : alignRight(cell, widths[column] ?? 0))).join('  ')
  const more = processes.length - MAX_LINES
  return [
    t`${total} of ${server.openSlots} connections that are not reserved are open:`,
    ...[head, ...rows].map((row) => `  ${print(row)}`),
    ...(more > 0 ? [t`  and ${more} more processes; all of them are in --json`] : []),
    t`To choose sessions and end them: npx poolguard free`,
  ]
}

function cellsOf(process: ClientProcess): readonly string[] {
  const { idle, idleInTransaction, active, waitingForLock, hidden } = countStates(process.sessions)
  const longest = Math.max(...process.sessions.map(({ stateSeconds }) => stateSeconds ?? 0))
  const states = [idle, idleInTransaction, active, waitingForLock].map((count) => (hidden > 0 ? '?' : String(count)))
  return [String(process.sessions.length), ...states, hidden > 0 ? '?' : describeSeconds(longest), nameProcess(process)]
}

/** The same for programs. */
export function holdersData(server: ServerFacts): readonly Readonly<Record<string, unknown>>[] {
  return groupByProcess(server.sessions).map(processSummary)
}
