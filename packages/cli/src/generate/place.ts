import { isDeepStrictEqual } from 'node:util'
import { type ConnectionString, normalizeTarget, type UrlParameter } from '@poolguard/core/postgres'
import { CannotRunError } from '../outcome.ts'
import { t } from '../output/translate.ts'

/** The address of PostgreSQL, the database and the app's role, as the files use them. */
export interface Place {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly role: string
  /** The URL's TLS parameters and schema. */
  readonly parameters: readonly UrlParameter[]
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
  const target = url && normalizeTarget(url)
  if (target) requirePlainNames(target)
  const { hosts, database, user } = target ?? {}
  const [first] = hosts ?? []
  const role = user === undefined || ROLES_OF_ADMINS.has(user) ? 'app' : user
  const place: Place = {
    host: first ? first.host || 'localhost' : 'postgres',
    port: first?.port ?? 5432,
    database: database ?? 'app',
    role,
    parameters: target ? carriedParameters(target) : [],
  }
  requireWritable(place)
  return place
}

/** @throws {CannotRunError} for a name that would need quoting in one of the files. */
export function requireWritable(place: Place): void {
  for (const [part, shape] of [
    ['host', HOST],
    ['database', PLAIN],
    ['role', PLAIN],
  ] as const) {
    if (!shape.test(place[part])) {
      throw new CannotRunError(
        t`The ${part} ${JSON.stringify(place[part])} cannot be written to the files: it may contain only letters, digits, _, . and -. Pass a URL with a placeholder, and edit the files afterwards.`,
      )
    }
  }
}

/** Files contain these names literally, so a name that may be part of a password is refused. */
function requirePlainNames(target: ConnectionString): void {
  const shown = target.shown()
  const parts = {
    role: target.user === shown.user,
    database: target.database === shown.database,
    host: isDeepStrictEqual(target.hosts, shown.hosts),
  }
  for (const [part, isPlain] of Object.entries(parts)) {
    if (isPlain) continue
    throw new CannotRunError(
      t`The ${part} in the connection string may be part of a password, so no file is written with it. Percent-encode the password in the URL (encodeURIComponent), or give a URL without a password.`,
    )
  }
}

function carriedParameters(target: ConnectionString): readonly UrlParameter[] {
  const shown = new Map(target.shown().parameters)
  return target.parameters.filter(([name, value]) => CARRIED.has(name) && shown.get(name) === value)
}
