import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { describe } from 'vitest'
import { describeWhereFound } from './describe-where.ts'
import { findPgBouncer, type PgBouncerBinary, PgBouncerUnavailableError } from './find-pgbouncer.ts'
import { loopback, onFreePort, PortTakenError } from './free-port.ts'
import type { PgBouncerVersion } from './pgbouncer-server.ts'
import { queryOnce } from './query-once.ts'
import { makeServerFolder, removeServerFolder } from './server-folder.ts'
import { ServerProcess } from './server-process.ts'
import { giveToServerUser } from './server-user.ts'

const startMillis = 10_000
const stopMillis = 5_000

/** Address and folder of a PgBouncer that is being started. */
export interface PgBouncerPlace {
  readonly port: number
  readonly folder: string
  /** The program's path. */
  readonly program: string
}

export interface PgBouncerFilesOptions {
  readonly version: PgBouncerVersion
  /** Files in its folder: `start.sh`, which is run by `sh`, or else `pgbouncer.ini`. */
  readonly files: (place: PgBouncerPlace) => Readonly<Record<string, string>>
  /** A user of its console. */
  readonly console: { readonly user: string; readonly password: string }
}

export interface OwnPgBouncer extends AsyncDisposable {
  readonly host: string
  readonly port: number
  log(): string
}

/** Starts PgBouncer as a process with configuration files that the caller provides. */
export async function startPgBouncerFiles(options: PgBouncerFilesOptions): Promise<OwnPgBouncer> {
  const binary = await findBinary(options.version)
  const folder = makeServerFolder('pgbouncer')
  try {
    return await onFreePort((port) => startOn(port, folder, binary, options))
  } catch (error) {
    removeServerFolder(folder)
    throw error
  }
}

async function startOn(
  port: number,
  folder: string,
  binary: PgBouncerBinary,
  { files, console }: PgBouncerFilesOptions,
): Promise<OwnPgBouncer> {
  const written = files({ port, folder, program: binary.path })
  for (const [name, content] of Object.entries(written)) {
    writeFileSync(join(folder, name), content)
    giveToServerUser(join(folder, name))
  }
  const process = await ServerProcess.start({
    ...('start.sh' in written
      ? { program: 'sh', args: ['start.sh'] }
      : { program: binary.path, args: ['pgbouncer.ini'] }),
    cwd: folder,
    logFile: join(folder, 'server.log'),
    reaperSignal: 'SIGKILL',
  })
  const url = `postgresql://${console.user}:${console.password}@${loopback}:${port}/pgbouncer`
  try {
    await process.untilReady(() => queryOnce(url, 'SHOW VERSION'), startMillis)
  } catch (error) {
    await process.end('SIGKILL', stopMillis)
    if (/cannot listen|Address already in use/.test(process.log())) {
      throw new PortTakenError(`port ${port} was taken`, { cause: error })
    }
    throw error
  }
  return {
    host: loopback,
    port,
    log: () => process.log(),
    async [Symbol.asyncDispose]() {
      await process.end('SIGKILL', stopMillis)
      removeServerFolder(folder)
    },
  }
}

async function findBinary(version: PgBouncerVersion): Promise<PgBouncerBinary> {
  const found = await findPgBouncer(version)
  if ('path' in found) return found
  throw new PgBouncerUnavailableError(
    `PgBouncer ${version} is available only in a container: set PGBOUNCER to its binary`,
  )
}

/** As `describeWithPgBouncer`, for tests that start the program on files of their own. */
export async function describeWithPgBouncerProgram(
  version: PgBouncerVersion,
): Promise<ReturnType<typeof describe.skipIf>> {
  return describeWhereFound(findBinary(version))
}
