import { t } from '../../output/translate.ts'
import type { Snapshot } from '../snapshot.ts'
import { applicationsTable } from './applications.ts'
import { blockingTable } from './blocking.ts'
import { poolsTable } from './pools.ts'
import { processesTable } from './processes.ts'
import { sessionsTable } from './sessions.ts'
import type { Table } from './table.ts'
import { waitsTable } from './waits.ts'

/** In the order of the keys 1 to 6. */
export const TABLE_IDS = ['applications', 'processes', 'sessions', 'blocking', 'pools', 'waits'] as const

export type TableId = (typeof TABLE_IDS)[number]

const TABLES: Readonly<Record<TableId, (snapshot: Snapshot) => Table>> = {
  applications: applicationsTable,
  processes: processesTable,
  sessions: sessionsTable,
  blocking: blockingTable,
  pools: poolsTable,
  waits: waitsTable,
}

export function tableOf(id: TableId, snapshot: Snapshot): Table {
  return TABLES[id](snapshot)
}

/** The title of a table, for people. */
export function titleOf(id: TableId): string {
  switch (id) {
    case 'applications':
      return t`Applications`
    case 'processes':
      return t`Processes`
    case 'sessions':
      return t`Sessions`
    case 'blocking':
      return t`Blocking`
    case 'pools':
      return t`Pools`
    case 'waits':
      return t`Waits`
  }
}
