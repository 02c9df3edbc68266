import type { PostgresOptions } from './postgres-server.ts'

type Settings = Readonly<Record<string, string | number>>

/** Nothing here survives a power cut, and nothing has to. */
const quick: Settings = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: 0,
  shared_buffers: '16MB',
}

/** The user's settings win over the harness' own. */
export function postgresSettings({ maxConnections, settings }: PostgresOptions, own: Settings = {}): Settings {
  return {
    ...quick,
    // TCP only: the path of a socket must be short, which a temporary folder's on macOS is not.
    unix_socket_directories: '',
    ...own,
    ...(maxConnections === undefined ? {} : { max_connections: maxConnections }),
    ...settings,
  }
}

/** Lines to append to postgresql.conf, where ALTER SYSTEM still overrides them. */
export function settingsFileText(settings: Settings): string {
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${String(value).replaceAll("'", "''")}'`)
  return `\n${lines.join('\n')}\n`
}
