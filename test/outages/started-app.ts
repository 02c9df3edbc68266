import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { AppOrders } from './app.ts'

const APP = fileURLToPath(new URL('./app.ts', import.meta.url))

/** An app process of a staged outage. */
export class StartedApp implements AsyncDisposable {
  readonly pid: number
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
    this.pid = child.pid ?? 0
  }

  /** Resolves when its connections are as ordered. */
  static async start(orders: AppOrders): Promise<StartedApp> {
    const child = fork(APP, [JSON.stringify(orders)], { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    const [first] = await Promise.race([once(child, 'message'), once(child, 'exit')])
    if (first !== 'ready') throw new Error(`the app process ended with ${first}`)
    return new StartedApp(child)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill('SIGKILL')
    await once(this.#child, 'exit')
  }
}
