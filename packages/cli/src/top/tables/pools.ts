import type { AppLane, AppPool } from '../../endpoint/read-pool-stats.ts'
import type { PoolerPool } from '../../monitor/watch-pooler.ts'
import type { Style } from '../../output/paint.ts'
import { shareColour } from '../../output/share-bar.ts'
import { t } from '../../output/translate.ts'
import type { Snapshot, Source } from '../snapshot.ts'
import { secondsCell } from './session-cells.ts'
import { type Cell, numberCell, type Row, type Table, textCell } from './table.ts'

const STATUS_STYLES: Readonly<Record<string, Style>> = { healthy: 'green', warning: 'yellow', critical: 'red' }

/** The pools of PgBouncer and of apps. */
export function poolsTable({ pooler, apps }: Snapshot): Table {
  return {
    columns: [
      { title: t`pool`, width: 17, grow: 2 },
      { title: t`source`, width: 15, grow: 1 },
      { title: t`in use`, width: 7, isNumber: true },
      { title: t`max`, width: 5, isNumber: true },
      { title: t`idle`, width: 5, isNumber: true },
      { title: t`waiting`, width: 8, isNumber: true },
      { title: t`wait`, width: 6, isNumber: true },
      { title: t`status`, width: 8 },
      { title: t`timeouts`, width: 9, isNumber: true, from: 110 },
      { title: t`suspected leaks`, width: 16, isNumber: true, from: 110 },
      { title: t`lanes`, width: 20, grow: 2, from: 140 },
    ],
    rows: [
      ...rowsOf(pooler, 'PgBouncer', ({ pools }) => pools.map(poolerRow)),
      ...apps.flatMap((app) => rowsOf(app, app.address, ({ pools }) => pools.map((pool) => appRow(app.address, pool)))),
    ],
    sort: { column: 5, isDescending: true },
    whenEmpty: t`No pool: --pooler-url <url> shows PgBouncer's, --app <url> those of an app.`,
  }
}

function rowsOf<T>(source: Source<T> | undefined, name: string, rows: (last: T) => readonly Row[]): readonly Row[] {
  if (!source) return []
  const { last, outage } = source
  const missing = outage && {
    key: `outage ${name}`,
    cells: fill([textCell(t`no answer: ${outage.error}`, 'red'), textCell(withoutScheme(name))]),
    note: t`${name} does not answer: ${outage.error}`,
  }
  return [...(missing ? [missing] : []), ...(last === undefined ? [] : rows(last))]
}

/** A narrow column has room for the host and the port only. */
function withoutScheme(address: string): string {
  return address.replace(/^https?:\/\//, '')
}

/** Without figures, the last cells are empty. */
function fill(cells: readonly Cell[]): readonly Cell[] {
  return [...cells, ...Array.from({ length: 11 - cells.length }, () => textCell(''))]
}

function poolerRow(pool: PoolerPool): Row {
  const { database, user, clientsWaiting, maxWaitMillis, serversActive, serversIdle, poolSize, paused } = pool
  return {
    key: JSON.stringify([database, user]),
    cells: fill([
      textCell(`${database}/${user}`),
      textCell('PgBouncer'),
      usedCell(serversActive, poolSize),
      { text: poolSize === null ? '' : String(poolSize), order: poolSize ?? 0 },
      numberCell(serversIdle),
      numberCell(clientsWaiting, 'red'),
      clientsWaiting > 0 ? secondsCell(maxWaitMillis / 1_000, 'red') : secondsCell(null),
      paused ? textCell(t`paused`, 'red') : textCell(''),
    ]),
  }
}

function appRow(address: string, pool: AppPool): Row {
  const { name, target, status, inUse, max, idle, waiting, timeouts, suspectedLeaks, lanes } = pool
  return {
    key: JSON.stringify([address, name, target]),
    cells: [
      textCell(name),
      textCell(withoutScheme(address)),
      usedCell(inUse, max),
      { text: String(max), order: max },
      numberCell(idle),
      numberCell(waiting, 'red'),
      secondsCell(null),
      textCell(status, STATUS_STYLES[status] ?? 'red'),
      numberCell(timeouts, 'red'),
      numberCell(suspectedLeaks, 'red'),
      textCell(lanes.map(describeLane).join(', ')),
    ],
  }
}

/** `jobs 2/4 +3`: two of four connections, and three callers that wait. */
function describeLane({ name, active, max, waiting }: AppLane): string {
  return `${name} ${active}/${max}${waiting > 0 ? ` +${waiting}` : ''}`
}

function usedCell(used: number, max: number | null): Cell {
  return numberCell(used, max === null || max === 0 ? undefined : shareColour(used / max))
}
