import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { promisify } from 'node:util'
import { ROOT } from '../docs/documents.ts'
import { hasSignals, waitUntil } from '../harness/index.ts'
import { portableCommand } from '../portable-command.ts'

/** An example as its README starts it: by one command, on servers of its own. */
export class StartedExample implements AsyncDisposable {
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

  /** @param ports how many, from one on, that it listens on; each answers `path` once it is started. */
  static async start(
    name: string,
    { ports = 1, path = '/healthz', env = {} }: { ports?: number; path?: string; env?: NodeJS.ProcessEnv } = {},
  ): Promise<StartedExample> {
    const port = await freePorts(ports)
    const { file, args, shell } = portableCommand('pnpm', ['--filter', `@poolguard/example-${name}`, 'start'])
    const child = spawn(file, args, {
      cwd: ROOT,
      shell,
      // A process group of its own, which gets the signal that ends it.
      detached: hasSignals,
      env: { ...process.env, DATABASE_URL: undefined, ...env, PORT: String(port) },
    })
    const example = new StartedExample(child, port)
    for (let i = 0; i < ports; i++) await example.#answers(port + i, path)
    return example
  }

  async #answers(port: number, path: string): Promise<void> {
    await waitUntil(async () => this.#child.exitCode !== null || (await fetch(`http://localhost:${port}${path}`)).ok, {
      // Building one takes minutes on a busy machine.
      deadlineMillis: 300_000,
      what: `an answer of ${path} on port ${port}`,
    })
    if (this.#child.exitCode !== null) throw new Error(`it has ended:\n${this.output}`)
  }

  fetch(path: string, init?: RequestInit, instance = 0): Promise<Response> {
    return fetch(`http://localhost:${this.port + instance}${path}`, init)
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
