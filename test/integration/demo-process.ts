import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { waitUntil } from '../harness/index.ts'

export const DEMO: string = fileURLToPath(new URL('../../examples/demo/src/main.ts', import.meta.url))

/** The demo in a process group and with a temporary folder of its own, so that what it leaves behind can be found. */
export class DemoProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #folder: string
  output = ''
  progress = ''

  static async start(args: readonly string[]): Promise<DemoProcess> {
    const folder = await mkdtemp(path.join(tmpdir(), 'poolguard-demo-'))
    // If the tests run as root, the servers run as another user, which needs access.
    await chmod(folder, 0o755)
    return new DemoProcess(args, folder)
  }

  private constructor(args: readonly string[], folder: string) {
    this.#folder = folder
    this.#child = spawn(process.execPath, [DEMO, ...args], {
      detached: true,
      env: { ...process.env, TMPDIR: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child.stdout?.on('data', (data) => (this.output += data))
    this.#child.stderr?.on('data', (data) => (this.progress += data))
  }

  /** Whether it has made any file. */
  async hasFiles(): Promise<boolean> {
    return (await readdir(this.#folder)).length > 0
  }

  /** Its first line of output. */
  async firstLine(): Promise<string> {
    const hasLine = () => this.output.includes('\n')
    await waitUntil(() => hasLine() || this.#hasEnded, { what: 'a line of output', deadlineMillis: 120_000 })
    if (!hasLine()) throw new Error(`the demo has ended: ${this.progress}`)
    return this.output.slice(0, this.output.indexOf('\n'))
  }

  /** As a terminal's Ctrl-C does, to all of its processes. Resolves with its exit code. */
  interrupt(): Promise<number | null> {
    return this.#end(-this.#pid, 'SIGINT')
  }

  /** Sends SIGTERM to its first process alone. Resolves with its exit code. */
  terminate(): Promise<number | null> {
    return this.#end(this.#pid, 'SIGTERM')
  }

  /** Resolves when it has left neither a process nor a file. */
  async leavesNothing(): Promise<void> {
    await waitUntil(async () => !(await this.hasFiles()), { what: 'the folders to be gone' })
    await waitUntil(async () => !(await this.#hasProcesses()), { what: 'the processes to be gone' })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasEnded) await this.#end(-this.#pid, 'SIGKILL')
    await waitUntil(async () => !(await this.#hasProcesses()), { what: 'the processes to be gone' })
    await rm(this.#folder, { recursive: true, force: true })
  }

  get #pid(): number {
    return this.#child.pid as number
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  async #end(target: number, signal: NodeJS.Signals): Promise<number | null> {
    const exited = once(this.#child, 'exit')
    process.kill(target, signal)
    const [code] = await exited
    return code
  }

  /** Servers have the folder in their command; all other processes are in the group. The init of a container may not reap the ended ones. */
  async #hasProcesses(): Promise<boolean> {
    const { stdout } = await promisify(execFile)('ps', ['-e', '-o', 'pgid=', '-o', 'stat=', '-o', 'args='])
    const processes = stdout.split('\n').map((line) => line.trim().split(/\s+/))
    return processes.some(
      ([group, state, ...args]) =>
        !state?.startsWith('Z') && (group === String(this.#pid) || args.join(' ').includes(this.#folder)),
    )
  }
}
