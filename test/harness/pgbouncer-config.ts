import { randomBytes } from 'node:crypto'
import { appDatabase, appRole, superuser } from './credentials.ts'
import type { PgBouncerOptions } from './pgbouncer-server.ts'

export interface ConsoleUsers {
  readonly admin: { readonly user: string; readonly password: string; readonly database: 'pgbouncer' }
  readonly stats: { readonly user: string; readonly password: string; readonly database: 'pgbouncer' }
}

/** Passwords of their own for each server: logging in to the console proves that it is ours, not a neighbour's. */
export function makeConsoleUsers(): ConsoleUsers {
  const password = () => randomBytes(12).toString('hex')
  return {
    admin: { user: 'pgbouncer_admin', password: password(), database: 'pgbouncer' },
    stats: { user: 'pgbouncer_stats', password: password(), database: 'pgbouncer' },
  }
}

interface IniInput {
  readonly listen: { readonly host: string; readonly port: number }
  readonly upstream: { readonly host: string; readonly port: number }
  readonly userlist: string
  readonly users: ConsoleUsers
  readonly options: PgBouncerOptions
}

export function iniText({ listen, upstream, userlist, users, options }: IniInput): string {
  const settings = {
    listen_addr: listen.host,
    listen_port: listen.port,
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: userlist,
    admin_users: users.admin.user,
    stats_users: users.stats.user,
    pool_mode: options.poolMode ?? 'transaction',
    server_tls_sslmode: 'disable',
    ...options.settings,
  }
  return [
    '[databases]',
    `${appDatabase} = host=${upstream.host} port=${upstream.port} dbname=${appDatabase}`,
    `* = host=${upstream.host} port=${upstream.port}`,
    '[pgbouncer]',
    ...Object.entries(settings).map(([name, value]) => `${name} = ${value}`),
    '',
  ].join('\n')
}

/** In plain text: it is with these passwords that PgBouncer logs in to a server that asks for SCRAM. */
export function userlistText(users: ConsoleUsers): string {
  return [appRole, superuser, users.admin, users.stats]
    .map(({ user, password }) => `"${user}" "${password}"\n`)
    .join('')
}
