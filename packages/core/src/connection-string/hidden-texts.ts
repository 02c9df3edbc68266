import { SECRET_PARAMETERS } from '../redact.ts'
import type { ConnectionString } from './connection-string.ts'
import { normalizeTarget } from './normalize-target.ts'

/** The parts of a connection string that must not be shown: its secrets, and the parts that are not plain names. */
export function hiddenTexts(connection: ConnectionString): readonly string[] {
  const target = normalizeTarget(connection)
  const shown = target.shown()
  const { user, password, hosts, database, parameters } = target
  const hidden = [
    password,
    user === shown.user ? undefined : user,
    database === shown.database ? undefined : database,
    ...hosts.map(({ host }, index) => (host === shown.hosts?.[index]?.host ? undefined : host)),
    ...parameters.map(([name, value]) => (SECRET_PARAMETERS.has(name) ? value : undefined)),
  ]
  return hidden.filter((text) => text !== undefined).filter((text) => text !== '')
}
