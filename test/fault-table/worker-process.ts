import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { waitUntil } from '../harness/index.ts'
import type { ErrorReport, Report, Request } from './messages.ts'
import type { Stack } from './stack.ts'

const PROGRAM = fileURLToPath(new URL('worker.ts', import.meta.url))

/** A running app, and what it has reported so far. */
export class WorkerProcess {
  /** Rows of each committed write. */
  readonly committed = new Map<number, 1 | 2>()
  readonly errors: ErrorReport[] = []
  /** The end of what it wrote to standard error. */
  stderr = ''
  isReady = false
  notPossible = false
  counted: number | undefined
  measured: Extract<Report, { type: 'measured' }> | undefined
  stopped: Extract<Report, { type: 'stopped' }> | undefined
  /** When the last write was committed, as of `performance.now()`. */
  committedAt = 0
  exit: { readonly code: number | null; readonly signal: NodeJS.Signals | null } | undefined
  readonly #child: ChildProcess

  /** @param firstId of its writes, if other apps write to the same table. */
  constructor(stack: Stack, url: string, firstId = 1) {
    this.#child = fork(PROGRAM, [stack.name, url, String(firstId)], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    this.#child.on('message', (report: Report) => this.#onReport(report))
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr = (this.stderr + chunk.toString()).slice(-20_000)
    })
    this.#child.once('exit', (code, signal) => {
      this.exit = { code, signal }
    })
  }

  #onReport(report: Report): void {
    if (report.type === 'committed') {
      this.committed.set(report.id, report.rows)
      this.committedAt = performance.now()
    } else if (report.type === 'failed') this.errors.push(report.error)
    else if (report.type === 'counted') this.counted = report.connections
    else if (report.type === 'measured') this.measured = report
    else if (report.type === 'stopped') this.stopped = report
    else if (report.type === 'not-possible') this.notPossible = true
    else this.isReady = true
  }

  /** True if it has ended by itself. */
  get hasCrashed(): boolean {
    return this.exit !== undefined && !this.stopped
  }

  ask(request: Request): void {
    if (this.#child.connected) this.#child.send(request, () => {})
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Resolves to false if the condition does not hold in time, and at once if the process has ended. */
  async until(condition: () => boolean, millis: number): Promise<boolean> {
    const isOver = () => condition() || this.exit !== undefined
    await waitUntil(isOver, { what: 'the worker', deadlineMillis: millis, everyMillis: 10 }).catch(() => {})
    return condition()
  }

  /** Waits until it works. Some faults are in the server's settings and end it before that. */
  async atWork(): Promise<void> {
    const works = await this.until(() => this.isReady && this.committed.size >= 20, 60_000)
    if (!works && !this.exit)
      throw new Error(`The app did not begin to work: ${this.stderr} ${JSON.stringify(this.errors.at(-1))}`)
  }

  async end(): Promise<void> {
    if (this.exit) return
    this.#child.kill('SIGKILL')
    await waitUntil(() => this.exit !== undefined, { what: 'the end of the worker' })
  }
}
