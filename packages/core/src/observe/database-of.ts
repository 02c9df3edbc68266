import { normalizeTarget, parseConnectionString } from '../connection-string/index.ts'

/**
 * A key for the database that a target names, the same for every spelling. Undefined for a target that is no connection
 * string: another kind of database.
 */
export function databaseOf(target: string): string | undefined {
  try {
    const { hosts, database } = normalizeTarget(parseConnectionString(target))
    return JSON.stringify([hosts.map(({ host, port = 5432 }) => [host, port]), database])
  } catch {
    return undefined
  }
}
