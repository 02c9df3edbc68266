import {
  chmodSync,
  constants,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { giveToServerUser } from './server-user.ts'

/**
 * Copies a folder's content into `target`, which becomes the server user's, file by file. `fs.cp` would leave
 * everything to root. Where the file system can, the copies share their blocks with the original (reflinks).
 */
export function copyTreeForServer(source: string, target: string): void {
  mkdirSync(target, { recursive: true })
  for (const entry of readdirSync(source, { withFileTypes: true })) {
    const from = join(source, entry.name)
    const to = join(target, entry.name)
    if (entry.isDirectory()) copyTreeForServer(from, to)
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(from), to)
    else {
      copyFileSync(from, to, constants.COPYFILE_FICLONE)
      giveToServerUser(to)
    }
  }
  // PostgreSQL refuses a data folder that others may enter.
  chmodSync(target, statSync(source).mode)
  giveToServerUser(target)
}
