import type { Fault } from '../fault-table/fault.ts'
import { networkFaults } from '../fault-table/faults/network.ts'
import { callerFaults, processFaults } from '../fault-table/faults/process.ts'
import { serverFaults, sessionFaults } from '../fault-table/faults/server.ts'

/** A fault of the soak test. */
export interface SoakFault {
  readonly fault: Fault
  /** Happens to each process; otherwise to the server, and thereby to all of them. */
  readonly inEachProcess: boolean
}

/** What stays broken, has another database than the processes, or needs one process on the server. */
const LEFT_OUT = new Set([
  ...['leak', 'double-release', 'dirty-release', 'frozen-meanwhile-restart'],
  ...['database-full', 'lock-storm', 'ddl-under-load', 'connection-storm'],
])

const isSuitable = ({ id, settings, setup, imitated, endsTheApp }: Fault) =>
  !settings && !setup && !imitated && !endsTheApp && !LEFT_OUT.has(id)

/** The faults of the table after which every process goes on. */
export const SOAK_FAULTS: readonly SoakFault[] = [
  ...[...sessionFaults, ...serverFaults].map((fault) => ({ fault, inEachProcess: false })),
  ...[...networkFaults, ...processFaults, ...callerFaults].map((fault) => ({ fault, inEachProcess: true })),
].filter(({ fault }) => isSuitable(fault))
