import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { describe } from 'vitest'
import { runProgram, unpackDebianPackage } from './debian-package.ts'
import { describeWhereFound } from './describe-where.ts'

/** A program, and what comes before its own arguments. */
type ComposeCommand = readonly [program: string, ...args: readonly string[]]

export class ComposeUnavailableError extends Error {
  override readonly name = 'ComposeUnavailableError'
  readonly code = 'COMPOSE_UNAVAILABLE'
}

let found: Promise<ComposeCommand> | undefined

/** The first of: Docker's plugin, the one unpacked from a Debian package. Reading a file takes no engine. */
function findCompose(): Promise<ComposeCommand> {
  found ??= search()
  return found
}

async function search(): Promise<ComposeCommand> {
  const plugin: ComposeCommand = ['docker', 'compose']
  if (await runProgram('docker', ['compose', 'version'], 10_000).catch(() => undefined)) return plugin
  const program = '/usr/libexec/docker/cli-plugins/docker-compose'
  try {
    return [
      join(
        await unpackDebianPackage({ suite: 'trixie', name: 'docker-compose', programs: [program] }),
        'docker-compose',
      ),
    ]
  } catch (error) {
    throw new ComposeUnavailableError(`Docker Compose is not available: install it (${(error as Error).message})`)
  }
}

/** What `docker compose config` makes of the file in a folder; throws what it has against it. */
export async function composeConfig(folder: string): Promise<string> {
  const [program, ...args] = await findCompose()
  const { stdout } = await promisify(execFile)(program, [...args, 'config'], { cwd: folder, timeout: 30_000 })
  return stdout
}

/** As `describeWithPgBouncer`, for tests that need Docker Compose; to be awaited at the top of a test file. */
export async function describeWithCompose(): Promise<ReturnType<typeof describe.skipIf>> {
  return describeWhereFound(findCompose())
}
