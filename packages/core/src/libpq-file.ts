/** What decides where the files of a user are. */
export interface Surroundings {
  readonly platform: NodeJS.Platform
  readonly env: Readonly<Record<string, string | undefined>>
  /** The home directory. */
  readonly home: string
}

/** A file of the user that libpq reads. */
export interface LibpqFile {
  readonly path: string
  /** The path as documents write it, for messages. */
  readonly source: string
}

/**
 * The place of a file that libpq reads by default. On Windows it is in the user's folder of roaming settings, which is in the home
 * directory unless `APPDATA` says otherwise.
 *
 * @see https://www.postgresql.org/docs/current/libpq-pgpass.html
 * @example
 * libpqFile('.pgpass', 'pgpass.conf').source // '~/.pgpass'
 */
export function libpqFile(
  onUnix: string,
  onWindows: string,
  { platform, env, home }: Surroundings = surroundings(process.env),
): LibpqFile {
  if (platform !== 'win32') return { path: `${home}/${onUnix}`, source: `~/${onUnix}` }
  const settings = env.APPDATA || `${home}\\AppData\\Roaming`
  return { path: `${settings}\\postgresql\\${onWindows}`, source: `%APPDATA%\\postgresql\\${onWindows}` }
}

/** @param env environment variables, such as `process.env`. */
export function surroundings(env: Surroundings['env']): Surroundings {
  return { platform: process.platform, env, home: process.getBuiltinModule('node:os').homedir() }
}
