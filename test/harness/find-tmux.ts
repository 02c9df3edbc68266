import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { describe } from 'vitest'
import { unpackDebianPackage } from './debian-package.ts'
import { describeWhereFound } from './describe-where.ts'

export class TmuxUnavailableError extends Error {
  override readonly name = 'TmuxUnavailableError'
  readonly code = 'TMUX_UNAVAILABLE'
}

let found: Promise<string> | undefined

/** The first of: tmux on PATH, the one unpacked from a Debian package. */
export function findTmux(): Promise<string> {
  found ??= search()
  return found
}

async function search(): Promise<string> {
  const onPath = (process.env.PATH?.split(delimiter) ?? []).map((folder) => join(folder, 'tmux')).find(existsSync)
  if (onPath) return onPath
  try {
    const bin = await unpackDebianPackage({ suite: 'bookworm', name: 'tmux', programs: ['/usr/bin/tmux'] })
    return join(bin, 'tmux')
  } catch (error) {
    throw new TmuxUnavailableError(`tmux is not available: install it on PATH (${(error as Error).message})`)
  }
}

/** As `describeWithPgBouncer`, for tests that need a terminal; to be awaited at the top of a test file. */
export async function describeWithTerminal(): Promise<ReturnType<typeof describe.skipIf>> {
  return describeWhereFound(findTmux())
}
