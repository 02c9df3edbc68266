import { chownSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** The user that servers run as. Undefined: the user that runs the tests. */
export interface ServerUser {
  readonly uid: number
  readonly gid: number
}

/** PostgreSQL and PgBouncer refuse to run as root. Then they run as `nobody`, who exists on every Unix. */
export const serverUser: ServerUser | undefined = process.getuid?.() === 0 ? nobody() : undefined

function nobody(): ServerUser {
  const entry = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === 'nobody')
  if (!entry) throw new Error('servers cannot run as root, and the user `nobody` does not exist: run as another user')
  // macOS writes -2 for what is 4294967294.
  const [uid, gid] = [entry[2], entry[3]].map((id) => Number(id) >>> 0)
  return { uid: uid as number, gid: gid as number }
}

/** Gives a file or a folder to the user that servers run as. */
export function giveToServerUser(path: string): void {
  if (serverUser) chownSync(path, serverUser.uid, serverUser.gid)
}

/**
 * Can the server's user enter this folder? Only asked when that is not us: root's own folders are often mode 700.
 * `nobody` is in no other group, so that the bits for others decide, unless the folder was given to him.
 */
export function serverUserCanEnter(folder: string): boolean {
  if (!serverUser) return true
  for (let current = folder; ; current = dirname(current)) {
    const { mode, uid } = statSync(current)
    const mayEnter = uid === serverUser.uid ? mode & 0o100 : mode & 0o001
    if (!mayEnter) return false
    if (current === dirname(current)) return true
  }
}
