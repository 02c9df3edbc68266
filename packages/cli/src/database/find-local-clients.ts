import { PGBOUNCER_CONSOLE, type PgBouncerSocket } from '@poolguard/core/postgres'
import type { LocalProcess } from '../sessions/session.ts'
import { endpointKey, findLocalProcesses } from './find-local-processes.ts'

/**
 * The processes of this machine among PgBouncer's clients, by pointer. Call it while the console's connection is open: its
 * addresses count only if one of the console's clients is this process, or they mean another machine.
 */
export function findLocalClients(clients: readonly PgBouncerSocket[]): ReadonlyMap<string, LocalProcess> {
  const processes = findLocalProcesses(clients)
  const found = new Map<string, LocalProcess>()
  for (const client of clients) {
    const localProcess = processes.get(endpointKey(client))
    if (localProcess) found.set(client.pointer, localProcess)
  }
  const isHere = clients.some(
    ({ database, pointer }) => database === PGBOUNCER_CONSOLE && found.get(pointer)?.pid === process.pid,
  )
  return isHere ? found : new Map()
}
