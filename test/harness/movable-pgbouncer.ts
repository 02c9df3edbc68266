import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { appDatabase, appRole } from './credentials.ts'
import { loopback } from './free-port.ts'
import { iniText, makeConsoleUsers, userlistText } from './pgbouncer-config.ts'
import { startPgBouncerFiles } from './pgbouncer-files.ts'
import type { PgBouncerOptions, PgBouncerVersion } from './pgbouncer-server.ts'
import { queryOnce } from './query-once.ts'

export interface MovablePgBouncerOptions extends PgBouncerOptions {
  readonly version: PgBouncerVersion
}

/** A PgBouncer whose configuration changes while it runs. */
export interface MovablePgBouncer extends AsyncDisposable {
  /** As the plain role `app`, database `app`. */
  readonly url: string
  /** Runs a command of its console. */
  command(text: string): Promise<void>
  /** Writes another server, and other settings, to its configuration, and runs RELOAD. */
  reload(changes: Partial<Pick<PgBouncerOptions, 'upstream' | 'settings'>>): Promise<void>
}

/** Starts a PgBouncer as a process, with a configuration that the test may change. */
export async function startMovablePgBouncer(options: MovablePgBouncerOptions): Promise<MovablePgBouncer> {
  const users = makeConsoleUsers()
  let place = { port: 0, folder: '' }
  let current: PgBouncerOptions = options
  const ini = () => {
    const userlist = join(place.folder, 'userlist.txt')
    return iniText({
      listen: { host: loopback, port: place.port },
      upstream: current.upstream,
      userlist,
      users,
      options: current,
    })
  }
  const server = await startPgBouncerFiles({
    version: options.version,
    console: users.admin,
    files: (given) => {
      place = given
      return { 'pgbouncer.ini': ini(), 'userlist.txt': userlistText(users) }
    },
  })
  const address = `${server.host}:${server.port}`
  const command = async (text: string) => {
    await queryOnce(`postgresql://${users.admin.user}:${users.admin.password}@${address}/pgbouncer`, text)
  }
  return {
    url: `postgresql://${appRole.user}:${appRole.password}@${address}/${appDatabase}`,
    command,
    async reload(changes) {
      current = { ...current, ...changes, settings: { ...current.settings, ...changes.settings } }
      writeFileSync(join(place.folder, 'pgbouncer.ini'), ini())
      await command('RELOAD')
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}
