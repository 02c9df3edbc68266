import type { Fault } from '../fault.ts'
import { failoverFaults } from './failover.ts'
import { networkFaults } from './network.ts'
import { poolerFaults } from './pooler.ts'
import { callerFaults, processFaults } from './process.ts'
import { serverFaults, sessionFaults } from './server.ts'

/** In the order of the table's rows. */
export const FAULTS: readonly Fault[] = [
  ...sessionFaults,
  ...serverFaults,
  ...failoverFaults,
  ...networkFaults,
  ...poolerFaults,
  ...processFaults,
  ...callerFaults,
]
