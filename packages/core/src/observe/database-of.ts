import { normalizeTarget, parseConnectionString } from '../connection-string/index.ts'

/**
 * A key for the database that a target names, equal for all spellings of its connection string. Undefined if the target is not
 * a PostgreSQL connection string.
 */
export function databaseOf(target: string): string | undefined {
  try {
    const { hosts, database } = normalizeTarget(parseConnectionString(target))
    return JSON.stringify([hosts.map(({ host, port = 5432 }) => [host, port]), database])
  } catch {
    return undefined
  }
}
