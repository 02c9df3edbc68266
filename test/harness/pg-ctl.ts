import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive } from './is-alive.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'
import { watchProcess } from './reaping.ts'
import { ServerProcess, type StartedProgram, serverEnvironment } from './server-process.ts'
import { serverUser } from './server-user.ts'

const startSeconds = 60

export interface PgCtlCommand {
  readonly binaries: PostgresBinaries
  readonly data: string
  /** Of `postgres`, without `-D`. */
  readonly args: readonly string[]
  readonly logFile: string
  readonly reaperSignal: NodeJS.Signals
}

/**
 * Starts PostgreSQL by pg_ctl, and waits until it is ready or has ended. On Windows, `postgres` refuses to run as an administrator,
 * which the users of CI are; pg_ctl starts it without those rights.
 */
export async function startByPgCtl(command: PgCtlCommand): Promise<ServerProcess> {
  const { binaries, data, args, logFile, reaperSignal } = command
  // pg_ctl hands the options to a shell.
  const options = args.map((arg) => `"${arg}"`).join(' ')
  const start = ['start', '-w', '-t', String(startSeconds), '-D', data, '-l', logFile, '-o', options]
  if (!(await succeeds(binaries.pgCtl, start, data))) return new ServerProcess(ENDED, logFile)
  const [pid = ''] = readFileSync(join(data, 'postmaster.pid'), 'utf8').split(/\r?\n/)
  watchProcess(Number(pid), reaperSignal)
  return new ServerProcess(postmaster(binaries, Number(pid)), logFile)
}

/** A server that did not start; its log says why. */
const ENDED: StartedProgram = { pid: 0, isRunning: false, kill: () => {} }

function postmaster({ pgCtl }: PostgresBinaries, pid: number): StartedProgram {
  return {
    pid,
    get isRunning() {
      return isAlive(pid)
    },
    kill(signal) {
      if (signal === 'SIGKILL') process.kill(pid, signal)
      // On Windows, only PostgreSQL's own programs can send it another signal. It fails if the server has just ended.
      else spawnSync(pgCtl, ['kill', signal.replace('SIG', ''), String(pid)], { ...serverUser, windowsHide: true })
    },
  }
}

/** Without pipes, which the server would keep open. */
function succeeds(program: string, args: readonly string[], cwd: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      ...serverUser,
      cwd,
      stdio: 'ignore',
      windowsHide: true,
      env: serverEnvironment(),
    })
    child.once('error', reject)
    child.once('exit', (code) => resolve(code === 0))
  })
}
