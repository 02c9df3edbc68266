import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** How a process has ended. */
export interface End {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** What it has written to its standard output and error. */
  readonly output: string
}

/** A program of this folder in a process that a platform freezes and thaws: by signals, which Windows does not have. */
export class FreezableProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown[]>
  #output = ''

  constructor(program: string, env: Readonly<Record<string, string>>) {
    this.#child = spawn(process.execPath, [join(import.meta.dirname, program)], { env: { ...process.env, ...env } })
    this.#closed = once(this.#child, 'close')
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk) => {
        this.#output += String(chunk)
      })
    }
  }

  get output(): string {
    return this.#output
  }

  /** From now on none of its code runs; the kernel keeps its sockets open. */
  freeze(): void {
    this.#child.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child.kill('SIGCONT')
  }

  kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#child.kill(signal)
  }

  /** Resolves when the process has ended. */
  async end(): Promise<End> {
    const [code, signal] = await this.#closed
    return { code: code as End['code'], signal: signal as End['signal'], output: this.#output }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill('SIGKILL')
    await this.#closed
  }
}
