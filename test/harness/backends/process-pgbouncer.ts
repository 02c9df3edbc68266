import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectionUrl } from '../credentials.ts'
import type { PgBouncerBinary } from '../find-pgbouncer.ts'
import { loopback, onFreePort, PortTakenError } from '../free-port.ts'
import { type ConsoleUsers, iniText, makeConsoleUsers, userlistText } from '../pgbouncer-config.ts'
import type { PgBouncerOptions, PgBouncerServer } from '../pgbouncer-server.ts'
import { queryOnce } from '../query-once.ts'
import { makeServerFolder, removeServerFolder } from '../server-folder.ts'
import { ServerProcess } from '../server-process.ts'
import { giveToServerUser } from '../server-user.ts'
import { endsServer } from './choice.ts'

const startMillis = 10_000
const stopMillis = 5_000

/** PgBouncer as our child process. */
export async function startPgBouncerProcess(
  binary: PgBouncerBinary,
  options: PgBouncerOptions,
): Promise<PgBouncerServer> {
  const folder = makeServerFolder('pgbouncer')
  const users = makeConsoleUsers()
  try {
    return await onFreePort(async (port) => {
      writeConfiguration(folder, port, users, options)
      const start = () => startAndWait(binary, folder, consoleUrl(port, users), port)
      const process = await start()
      return serverFace({ version: binary.version, folder, port, users, options, process, start })
    })
  } catch (error) {
    removeServerFolder(folder)
    throw error
  }
}

function writeConfiguration(folder: string, port: number, users: ConsoleUsers, options: PgBouncerOptions): void {
  const userlist = join(folder, 'userlist.txt')
  const ini = join(folder, 'pgbouncer.ini')
  writeFileSync(userlist, userlistText(users), { mode: 0o600 })
  writeFileSync(
    ini,
    iniText({ listen: { host: loopback, port }, upstream: options.upstream, userlist, users, options }),
  )
  giveToServerUser(userlist)
  giveToServerUser(ini)
}

function consoleUrl(port: number, users: ConsoleUsers): string {
  return connectionUrl({ host: loopback, port }, users.admin)
}

async function startAndWait(binary: PgBouncerBinary, folder: string, consoleUrl: string, port: number) {
  const process = await ServerProcess.start({
    program: binary.path,
    args: [join(folder, 'pgbouncer.ini')],
    cwd: folder,
    logFile: join(folder, 'server.log'),
    reaperSignal: 'SIGKILL',
  })
  try {
    await process.untilReady(() => queryOnce(consoleUrl, 'SHOW VERSION'), startMillis)
    return process
  } catch (error) {
    await process.end('SIGKILL', stopMillis)
    if (/cannot listen|Address already in use/.test(process.log())) {
      throw new PortTakenError(`port ${port} was taken`, { cause: error })
    }
    throw error
  }
}

interface Running {
  readonly version: string
  readonly folder: string
  readonly port: number
  readonly users: ConsoleUsers
  readonly options: PgBouncerOptions
  readonly process: ServerProcess
  readonly start: () => Promise<ServerProcess>
}

function serverFace({ version, folder, port, users, options, process: first, start }: Running): PgBouncerServer {
  const address = { host: loopback, port }
  const adminUrl = consoleUrl(port, users)
  let process = first
  let finalLog: string | undefined

  async function stop(): Promise<void> {
    if (finalLog !== undefined) return
    // What its other signals mean changed in 1.23, and it has nothing to save.
    await process.end('SIGKILL', stopMillis)
    finalLog = process.log()
    removeServerFolder(folder)
  }

  return {
    version,
    poolMode: options.poolMode ?? 'transaction',
    ...address,
    url: connectionUrl(address),
    adminUrl,
    statsUrl: connectionUrl(address, users.stats),
    urlFor: (target) => connectionUrl(address, target),
    show: (what) => queryOnce(adminUrl, `SHOW ${what}`),
    log: () => finalLog ?? process.log(),
    stop,
    async restart() {
      if (finalLog !== undefined) throw new Error('this PgBouncer was stopped and its configuration removed')
      await process.end('SIGKILL', stopMillis)
      process = await start()
    },
    async kill(signal) {
      process.signal(signal)
      if (endsServer(signal)) await process.untilExit(stopMillis)
    },
    [Symbol.asyncDispose]: stop,
  }
}
