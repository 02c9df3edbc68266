import { existsSync, mkdtempSync, realpathSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { forget, watchFolder } from './reaping.ts'
import { giveToServerUser, serverUserCanEnter } from './server-user.ts'

/** A fresh, private folder for one server, removed by the reaper if the test does not remove it. */
export function makeServerFolder(kind: 'postgres' | 'pgbouncer' | 'prometheus'): string {
  const folder = mkdtempSync(join(parentFolder(), `poolguard-${kind}-`))
  watchFolder(folder)
  giveToServerUser(folder)
  return folder
}

export function removeServerFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
  forget({ folder })
}

const sharedMemory = '/dev/shm'
const roomyBytes = 1024 ** 3

/**
 * In memory where there is plenty, unless TMPDIR says otherwise. Copying a cluster means 1,300 new files: 0.07 s there,
 * and on ext4 between 0.1 and 1.1 s, the more the more servers have come and gone within the last minutes.
 */
function parentFolder(): string {
  if (!process.env.TMPDIR && isRoomy(sharedMemory)) return sharedMemory
  const temporary = realpathSync(tmpdir())
  // As root, TMPDIR may lie where the server's user cannot go.
  return serverUserCanEnter(temporary) ? temporary : '/tmp'
}

/** In a container it often is not: 64 MB is Docker's default. */
function isRoomy(folder: string): boolean {
  if (process.platform !== 'linux' || !existsSync(folder)) return false
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize >= roomyBytes && serverUserCanEnter(folder)
}
