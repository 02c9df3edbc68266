import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { describe } from 'vitest'
import { describeWhere } from './describe-where.ts'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

export class ChromiumUnavailableError extends Error {
  override readonly name = 'ChromiumUnavailableError'
  readonly code = 'CHROMIUM_UNAVAILABLE'

  constructor() {
    super(
      'Chromium is not available: `apt-get install chromium`, or put its path into the environment variable CHROMIUM',
    )
  }
}

/**
 * The program of `CHROMIUM`, else the first on PATH.
 *
 * @throws {ChromiumUnavailableError} if there is none.
 */
export function findChromium(): string {
  const folders = process.env.PATH?.split(delimiter) ?? []
  const onPath = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)))
  const found = [process.env.CHROMIUM, ...onPath].find((each) => each && existsSync(each))
  if (found) return found
  throw new ChromiumUnavailableError()
}

/** As `describeWithPgBouncer`, for tests that need a browser; to be awaited at the top of a test file. */
export async function describeWithChromium(): Promise<ReturnType<typeof describe.skipIf>> {
  try {
    findChromium()
    return describeWhere(undefined)
  } catch (error) {
    return describeWhere(error as Error)
  }
}
