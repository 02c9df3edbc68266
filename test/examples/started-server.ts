import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { promisify } from 'node:util'
import { ROOT } from '../docs/documents.ts'
import { hasSignals, waitUntil } from '../harness/index.ts'
import { portableCommand } from '../portable-command.ts'

interface StartOptions {
  /** The number of ports, from `PORT` on, that the servers listen on. */
  readonly ports?: number
  /** The path whose answer shows that a server is started. */
  readonly path?: string
  readonly env?: NodeJS.ProcessEnv
}

/** Servers that one command starts. They listen where `PORT` says. */
export class StartedServer implements AsyncDisposable {
  readonly port: number
  readonly #child: ChildProcess
  /** When the last process that it has started is gone, and with it the other end of its output. */
  readonly #closed: Promise<unknown[]>
  output = ''

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
    this.#closed = once(child, 'close')
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (this.output += chunk))
  }

  /** Starts an example as its README does, on database servers of its own. */
  static example(
    name: string,
    { script = 'start', path = '/healthz', env, ...options }: StartOptions & { readonly script?: 'start' | 'dev' } = {},
  ): Promise<StartedServer> {
    const command = ['pnpm', '--filter', `@poolguard/example-${name}`, script]
    // Vitest's NODE_ENV is `test`, with which Vite builds no app for production.
    const environment = { ...process.env, NODE_ENV: undefined, DATABASE_URL: undefined, ...env }
    return StartedServer.start(command, { cwd: ROOT, path, env: environment, ...options })
  }

  static async start(
    [program = '', ...words]: readonly string[],
    { cwd, ports = 1, path, env }: StartOptions & { readonly cwd: string; readonly path: string },
  ): Promise<StartedServer> {
    const port = await freePorts(ports)
    const { file, args, shell } = portableCommand(program, words)
    const child = spawn(file, args, {
      cwd,
      shell,
      // A process group of its own, which gets the signal that ends it.
      detached: hasSignals,
      env: { ...env, PORT: String(port) },
    })
    const server = new StartedServer(child, port)
    try {
      for (let i = 0; i < ports; i++) await server.#answers(port + i, path)
    } catch (error) {
      await server.stop()
      throw new Error(`${(error as Error).message}; its output:\n${server.output}`, { cause: error })
    }
    return server
  }

  async #answers(port: number, path: string): Promise<void> {
    await waitUntil(async () => this.#child.exitCode !== null || (await fetch(`http://localhost:${port}${path}`)).ok, {
      // Building one takes minutes on a busy machine.
      deadlineMillis: 300_000,
      what: `an answer of ${path} on port ${port}`,
    })
    if (this.#child.exitCode !== null) throw new Error(`the command has ended with ${this.#child.exitCode}`)
  }

  fetch(path: string, init?: RequestInit, instance = 0): Promise<Response> {
    return fetch(`http://localhost:${this.port + instance}${path}`, init)
  }

  /** As a supervisor does it: the app's processes, which `with-servers` prints, get SIGTERM, and nothing else of the command does. */
  terminate(): void {
    const printed = Array.from(this.output.matchAll(/^Port \d+: process (\d+)$/gm), ([, pid]) => Number(pid))
    for (const pid of printed) process.kill(pid, 'SIGTERM')
    if (printed.length === 0) this.#child.kill('SIGTERM')
  }

  /** How the command ends by itself; null if a signal has ended it. */
  get exitCode(): Promise<number | null> {
    return this.#closed.then(([code]) => code as number | null)
  }

  /** As a terminal's Ctrl-C does it: every process of the command gets the signal, and has ended. On Windows, they are killed. */
  async stop(): Promise<void> {
    const { pid, exitCode, signalCode } = this.#child
    if (pid && exitCode === null && signalCode === null) {
      if (hasSignals) process.kill(-pid, 'SIGINT')
      else await promisify(execFile)('taskkill', ['/PID', String(pid), '/T', '/F'])
    }
    await this.#closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

/** This many consecutive ports without a listener, below those that the system gives to clients. */
async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = 10_000 + Math.floor(Math.random() * 10_000)
    const free = await Promise.all(Array.from({ length: count }, (_, i) => isFree(first + i)))
    if (free.every(Boolean)) return first
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  const outcome = Promise.race([once(server, 'listening').then(() => true), once(server, 'error').then(() => false)])
  server.listen(port, 'localhost')
  const free = await outcome
  if (free) await new Promise<unknown>((resolve) => server.close(resolve))
  return free
}
