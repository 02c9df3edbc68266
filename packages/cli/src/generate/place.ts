import { type ConnectionString, normalizeTarget, type Parameter } from '@poolguard/core/postgres'
import { CannotRunError } from '../outcome.ts'

/** The address of PostgreSQL, the database and the app's role, as the files use them. */
export interface Place {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly role: string
  /** The URL's TLS parameters and schema. */
  readonly parameters: readonly Parameter[]
}

/** Names appear in INI, YAML, SQL and shell scripts; names that need different quoting in each are rejected. */
const PLAIN = /^[A-Za-z0-9_][\w.-]*$/
/** Also IPv6 addresses and socket directories. */
const HOST = /^[\w./:-]+$/
const ROLES_OF_ADMINS: ReadonlySet<string> = new Set(['postgres', 'pgbouncer', 'pgbouncer_stats'])

/** Parameters that never contain a secret. */
const CARRIED: ReadonlySet<string> = new Set(['sslmode', 'sslrootcert', 'channel_binding', 'schema'])

/** The names in a URL; `app` if it has none, or if the user is an administrator. */
export function placeOf(url: ConnectionString | undefined): Place {
  const { hosts, database, user, parameters = [] } = url ? normalizeTarget(url) : {}
  const [first] = hosts ?? []
  const role = user === undefined || ROLES_OF_ADMINS.has(user) ? 'app' : user
  const place: Place = {
    host: first?.host ?? 'postgres',
    port: first?.port ?? 5432,
    database: database ?? 'app',
    role,
    parameters: parameters.filter(([name]) => CARRIED.has(name)),
  }
  for (const [part, shape] of [
    ['host', HOST],
    ['database', PLAIN],
    ['role', PLAIN],
  ] as const) {
    if (!shape.test(place[part])) {
      throw new CannotRunError(
        `The ${part} ${JSON.stringify(place[part])} cannot be written to the files: it may contain only letters, digits, _, . and -. Pass a URL with a placeholder, and edit the files afterwards.`,
      )
    }
  }
  return place
}
