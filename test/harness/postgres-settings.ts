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

/** Lines to append to postgresql.conf, where ALTER SYSTEM still overrides them. A backslash, as in a path of Windows, begins an escape there. */
export function settingsFileText(settings: Settings): string {
  const quoted = (value: string) => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${quoted(String(value))}`)
  return `\n${lines.join('\n')}\n`
}
