import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { forget, watchProcess } from './reaping.ts'
import { serverUser } from './server-user.ts'
import { waitUntil } from './wait-until.ts'

export interface ServerCommand {
  readonly program: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly logFile: string
  /** How the reaper ends it when we can no longer do so ourselves. */
  readonly reaperSignal: NodeJS.Signals
}

/** A program that has been started, by whatever. */
export interface StartedProgram {
  readonly pid: number
  readonly isRunning: boolean
  kill(signal: NodeJS.Signals): void
}

/** A server, run as an unprivileged user, its output in a file. */
export class ServerProcess {
  readonly #program: StartedProgram
  readonly #logFile: string

  constructor(program: StartedProgram, logFile: string) {
    this.#program = program
    this.#logFile = logFile
  }

  /** Starts it as our child process. */
  static async start({ program, args, cwd, logFile, reaperSignal }: ServerCommand): Promise<ServerProcess> {
    // A file, not a pipe: a test that blocks the event loop must not block the server as well.
    const log = openSync(logFile, 'a')
    const child = spawn(program, args, {
      ...serverUser,
      cwd,
      stdio: ['ignore', log, log],
      // A session of its own, as in reaping.ts.
      detached: true,
      windowsHide: true,
      env: serverEnvironment(),
    })
    closeSync(log)
    const { pid } = child
    if (pid === undefined) throw await new Promise<Error>((resolve) => child.once('error', resolve))
    watchProcess(pid, reaperSignal)
    child.once('exit', () => forget({ pid }))
    // A forgotten server keeps no process alive; the reaper ends it.
    child.unref()
    return new ServerProcess(asProgram(child, pid), logFile)
  }

  get pid(): number {
    return this.#program.pid
  }

  get isRunning(): boolean {
    return this.#program.isRunning
  }

  /** Empty once the server's folder is removed. */
  log(): string {
    try {
      return readFileSync(this.#logFile, 'utf8')
    } catch {
      return ''
    }
  }

  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) this.#program.kill(signal)
  }

  /** Sends the signal and waits for the end, which comes by SIGKILL if not otherwise. */
  async end(signal: NodeJS.Signals, graceMillis: number): Promise<void> {
    this.signal(signal)
    // A test may have stopped it with SIGSTOP.
    if (process.platform !== 'win32') this.signal('SIGCONT')
    await this.untilExit(graceMillis).catch(() => this.signal('SIGKILL'))
    await this.untilExit(graceMillis)
  }

  async untilExit(deadlineMillis: number): Promise<void> {
    await waitUntil(() => !this.isRunning, { what: `process ${this.pid} has ended`, deadlineMillis, everyMillis: 5 })
    forget({ pid: this.pid })
  }

  /** Waits until `answers` returns something, but not longer than the server lives. Errors carry the server's log. */
  async untilReady<Answer>(
    answers: () => Promise<Answer | false | undefined>,
    deadlineMillis: number,
  ): Promise<Answer> {
    try {
      const answer = await waitUntil(async () => (this.isRunning ? await answers() : 'ended'), {
        what: 'the server answers',
        deadlineMillis,
      })
      if (answer === 'ended') throw new Error('the server ended instead of starting')
      return answer as Answer
    } catch (error) {
      const { message } = error as Error
      throw new Error(`${message}; its log:\n${this.log()}`, { cause: error })
    }
  }
}

function asProgram(child: ChildProcess, pid: number): StartedProgram {
  return {
    pid,
    get isRunning() {
      return child.exitCode === null && child.signalCode === null
    },
    kill: (signal) => void child.kill(signal),
  }
}

/** Without PGHOST, PGPORT, PGDATA and the like, which PostgreSQL's programs would obey. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(PG|LC_|LANG)/.test(name)))
}
