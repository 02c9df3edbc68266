import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { forget, watchFolder } from './reaping.ts'
import { serverUser, serverUserCanEnter } from './server-user.ts'

/** What is made once and used by all: outside the tree, so that a fresh checkout is warm too. */
export function cacheFolder(): string {
  const folder = process.env.POOLGUARD_CACHE || defaultCacheFolder()
  mkdirSync(folder, { recursive: true })
  if (!serverUserCanEnter(folder)) {
    throw new Error(
      `the user that servers run as cannot enter the cache ${folder}: set POOLGUARD_CACHE to another folder`,
    )
  }
  return folder
}

function defaultCacheFolder(): string {
  // Root's home is usually closed to the user that the servers run as.
  if (serverUser && process.platform === 'linux') return '/var/cache/poolguard'
  if (process.env.XDG_CACHE_HOME) return join(process.env.XDG_CACHE_HOME, 'poolguard')
  if (process.platform === 'win32') {
    return join(process.env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'poolguard')
  }
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'poolguard')
  return join(homedir(), '.cache', 'poolguard')
}

const inTheMaking = new Map<string, Promise<string>>()

/**
 * The cache's folder `name`, made by `make` when it is missing.
 * Safe when several processes do it at once: each makes its own beside it, the first to rename wins, the others discard.
 *
 * @param cache an existing folder
 */
export function cached(
  name: string,
  make: (folder: string) => Promise<void>,
  cache: string = cacheFolder(),
): Promise<string> {
  const final = join(cache, name)
  if (existsSync(final)) return Promise.resolve(final)
  const running = inTheMaking.get(final)
  if (running) return running
  const making = makeInPlace(final, make).finally(() => inTheMaking.delete(final))
  inTheMaking.set(final, making)
  return making
}

async function makeInPlace(final: string, make: (folder: string) => Promise<void>): Promise<string> {
  const draft = `${final}.making-${randomUUID()}`
  watchFolder(draft)
  try {
    mkdirSync(draft)
    await make(draft)
    renameUnlessMade(draft, final)
    return final
  } finally {
    rmSync(draft, { recursive: true, force: true })
    forget({ folder: draft })
  }
}

function renameUnlessMade(draft: string, final: string): void {
  try {
    renameSync(draft, final)
  } catch (error) {
    // A folder cannot be renamed onto one that is not empty: another process was first, with the same content.
    if (!existsSync(final)) throw error
  }
}
