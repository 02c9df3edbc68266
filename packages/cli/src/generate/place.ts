import { type ConnectionString, normalizeTarget, type Parameter } from '@poolguard/core/postgres'
import { CannotRunError } from '../outcome.ts'

/** Names that the files go by: where PostgreSQL is, which database, and as whom the app comes. */
export interface Place {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly role: string
  /** What the URL says of TLS and of the schema. */
  readonly parameters: readonly Parameter[]
}

/** They stand in INI, YAML, SQL and shell scripts alike: what would have to be quoted differently in each is not taken. */
const PLAIN = /^[A-Za-z0-9_][\w.-]*$/
/** IPv6 and folders of sockets as well. */
const HOST = /^[\w./:-]+$/
const ROLES_OF_ADMINS: ReadonlySet<string> = new Set(['postgres', 'pgbouncer', 'pgbouncer_stats'])

/** Never one that may hold a secret. */
const CARRIED: ReadonlySet<string> = new Set(['sslmode', 'sslrootcert', 'channel_binding', 'schema'])

/** The names of a URL; `app` where it says none, and instead of an administrator's. */
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
        `The ${part} ${JSON.stringify(place[part])} cannot be written into files: give a URL whose names have letters, digits, _, . and - only, and change the files afterwards.`,
      )
    }
  }
  return place
}
